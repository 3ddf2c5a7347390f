"""Conditions, patches and idempotency keys are read in time that grows no worse than linearly with their length."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from flask import Response
from werkzeug.exceptions import HTTPException

from gateway.api.conditional import complete_etag
from gateway.api.devices.schemas import DeviceSchema
from gateway.api.idempotency import _mark_request
from gateway.api.merge_patch import merge
from tests.gateway.test_growth import assert_linear, build_app


@pytest.mark.parametrize("before", ["", '"', 'W/"', "7.", '"7.'])
def test_the_condition_of_a_reply_is_compared_in_linear_time(before):
    def read(text: str) -> None:
        with build_app().test_request_context("/", headers={"If-None-Match": text}):
            reply = Response("{}", mimetype="application/json", headers={"ETag": '"7"'})
            assert complete_etag(reply).status_code == 200

    for piece in ("a", '"', '",', '"a",', 'W/"a",', ".", "7.", " "):
        assert_linear(read, lambda size, p=piece: before + p * (size // len(p)) + "a", start=2000)


#: Makers of patches: many names, long names, nested objects, long values.
PATCHES: dict[str, Callable[[int], dict[str, Any]]] = {
    "many names": lambda size: {f"name{number}": None for number in range(size)},
    "a long name": lambda size: {"a" * size: None},
    "a long value": lambda size: {"name": "a" * size},
    "many tags": lambda size: {"tags": [{}] * size},
    "many members of a text": lambda size: {"name": {f"a{number}": None for number in range(size)}},
    "many members of a list": lambda size: {"tags": {f"a{number}": {"b": number} for number in range(size)}},
}


@pytest.mark.parametrize("name", PATCHES)
def test_a_patch_is_merged_in_linear_time(name):
    shown = {"name": "a", "source_url": "rtsp://10.0.0.1/", "tags": ["a"]}

    def read(patch: dict[str, Any]) -> None:
        with suppress(HTTPException):
            merge(DeviceSchema, shown, patch)

    assert_linear(read, PATCHES[name])


def test_what_a_key_is_compared_by_is_made_in_linear_time():
    def read(body: dict[str, Any]) -> None:
        with build_app().test_request_context("/", method="POST", json=body):
            assert len(_mark_request()) == 64

    for make in PATCHES.values():
        assert_linear(read, make)
