"""Schemas describe and check values; tags and ranges follow one rule everywhere."""

import marshmallow as ma
import pytest

from gateway.api.base import Schema
from gateway.api.tags import MAX_TAGS, Tags
from tests.contracts.repository import ROOT, relative


def test_no_schema_reads_the_database():
    reading = [
        relative(path)
        for path in sorted((ROOT / "gateway/api").rglob("schemas.py"))
        if any(word in path.read_text(encoding="utf-8") for word in ("current_scope", "database", ".select("))
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
