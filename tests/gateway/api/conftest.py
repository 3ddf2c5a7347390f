"""The application over private services; every status it returns in a test must be in the OpenAPI document."""

import re
from collections.abc import Iterator
from functools import cache

import pytest
from flask import Flask, Response, request
from flask.testing import FlaskClient

from gateway import database
from gateway.app import create_app
from gateway.config import Config
from gateway.tenancy.scopes import TenantScope
from tests.factories import device_body, make_config, no_plugins
from tests.playback import NOON_MS, FootageFactory, make_clip

#: Statuses that any request may get, as the introduction of the document says; and 500, which its own test checks.
ANYWHERE = frozenset({400, 403, 413, 415, 500, 503})


@pytest.fixture
def app(config: Config) -> Iterator[Flask]:
    app = create_app(config, no_plugins())
    answered: set[tuple[str, str, int]] = set()

    @app.after_request
    def note_status(response: Response) -> Response:
        if request.url_rule is not None and request.method not in ("HEAD", "OPTIONS"):
            answered.add((request.method, request.url_rule.rule, response.status_code))
        return response

    yield app
    database.close()
    documented = documented_statuses()
    assert {
        (method, rule, status)
        for method, rule, status in answered
        if status not in documented.get((method, rule), {status}) | ANYWHERE
    } == set(), "statuses that the OpenAPI document does not contain"


@cache
def documented_statuses() -> dict[tuple[str, str], frozenset[int]]:
    """The statuses of each operation, by its method and its rule in Flask's form."""
    app = create_app(make_config(), no_plugins())
    paths = app.test_client().get("/api/v1/openapi.json").json["paths"]
    database.close()
    rules = {re.sub(r"<(?:[^<>]+:)?(\w+)>", r"{\1}", rule.rule): rule.rule for rule in app.url_map.iter_rules()}
    return {
        (method.upper(), rules[path]): frozenset(
            int(status) for status in operation["responses"] if status != "default"
        )
        for path, operations in paths.items()
        for method, operation in operations.items()
        if method != "parameters"
    }


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def device(client: FlaskClient) -> dict:
    """A device created with the API."""
    answer = client.post("/api/v1/devices", json=device_body())
    assert answer.status_code == 201, answer.json
    return answer.json


@pytest.fixture
def footage(device: dict, config: Config, scope: TenantScope) -> FootageFactory:
    """Four seconds of footage of the device, from noon on."""
    factory = FootageFactory(config, scope, device["id"])
    factory.record(make_clip(seconds=4), NOON_MS)
    return factory
