"""Schemas describe and check values; tags and ranges follow one rule everywhere."""

import marshmallow as ma
import pytest

from gateway.api.base import Schema
from gateway.api.tags import MAX_TAGS, Tags
from gateway.api.time_fields import Moment, OrderedRange
from tests.contracts.repository import ROOT, relative


def test_no_schema_reads_the_database():
    reading = [
        relative(path)
        for path in sorted((ROOT / "gateway/api").rglob("schemas.py"))
        if any(word in path.read_text(encoding="utf-8") for word in ("current_scope", "import database", ".select("))
    ]
    assert reading == []


class Tagged(Schema):
    tags = Tags()


def test_tags_are_in_alphabetical_order_without_duplicates():
    assert Tagged().load({"tags": ["b", "a", "b"]}) == {"tags": ("a", "b")}
    assert Tagged().load({}) == {"tags": ()}


def test_duplicates_count_towards_the_limit_of_tags():
    Tagged().load({"tags": ["a"] * MAX_TAGS})
    with pytest.raises(ma.ValidationError, match=f"at most {MAX_TAGS} entries"):
        Tagged().load({"tags": ["a"] * (MAX_TAGS + 1)})


class Ranged(OrderedRange, Schema):
    max_days = 1
    start = Moment(load_default=None)
    end = Moment(load_default=None)


def test_a_range_ends_after_its_start_and_within_the_longest_that_is_answered():
    noon = "2026-11-22T12:00:00Z"
    Ranged().load({"start": noon})
    Ranged().load({"start": noon, "end": "2026-11-23T12:00:00Z"})
    with pytest.raises(ma.ValidationError, match="'end' must be after 'start'"):
        Ranged().load({"start": noon, "end": noon})
    with pytest.raises(ma.ValidationError, match="'end' must be at most 24 hours after 'start'"):
        Ranged().load({"start": noon, "end": "2026-11-23T12:00:00.001Z"})
