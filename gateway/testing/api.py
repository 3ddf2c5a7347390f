"""A small client of the REST API."""

from typing import Any

import requests


class ApiProblem(Exception):
    """An answer of 400 or more. `status` is the HTTP status, `body` the API's error."""

    def __init__(self, method: str, path: str, status: int, body: Any) -> None:
        super().__init__(f"{method} {path} answered {status}: {body}")
        self.status = status
        self.body = body


class ApiClient:
    """`get("/devices")` and so on: paths below `/api/v1`, JSON in and out. Raises ApiProblem and requests' own
    errors."""

    def __init__(self, url: str, timeout_seconds: float = 15.0) -> None:
        self._base = f"{url}/api/v1"
        self._timeout = timeout_seconds
        # No session: a kept connection would be cut with the web process and hide what a new client sees.

    def get(self, path: str, **query: Any) -> Any:
        return self._request("GET", path, params=query)

    def post(self, path: str, body: Any = None) -> Any:
        return self._request("POST", path, json=body)

    def put(self, path: str, body: Any) -> Any:
        return self._request("PUT", path, json=body)

    def patch(self, path: str, body: Any) -> Any:
        return self._request("PATCH", path, json=body)

    def delete(self, path: str) -> Any:
        return self._request("DELETE", path)

    def raw(self, path: str) -> requests.Response:
        """The unparsed answer, whatever its status."""
        return requests.get(self._base + path, timeout=self._timeout)

    def _request(self, method: str, path: str, **values: Any) -> Any:
        answer = requests.request(method, self._base + path, timeout=self._timeout, **values)
        is_json = "json" in answer.headers.get("content-type", "")
        body = answer.json() if answer.content and is_json else answer.content
        if answer.status_code >= 400:
            raise ApiProblem(method, path, answer.status_code, body)
        return body if answer.content else None
