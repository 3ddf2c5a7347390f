"""The application over private services."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateway import database
from gateway.app import create_app
from gateway.config import Config
from tests.factories import device_body, no_plugins


@pytest.fixture
def app(config: Config) -> Iterator[Flask]:
    yield create_app(config, no_plugins())
    database.close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def device(client: FlaskClient) -> dict:
    """A device made through the API."""
    answer = client.post("/api/v1/devices", json=device_body())
    assert answer.status_code == 201, answer.json
    return answer.json
