"""What every box of the API is made of: Api, Blueprint, Schema, the error shape, pagination, the request's scope.

Plugins build their own resources from here too (`register_blueprints`).
"""

import json
import math
from typing import Any

import flask_smorest
import marshmallow as ma
from flask import Response, g, request
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from gateway.api.errors import ErrorSchema, register_error_handlers
from gateway.api.fields import Choice, Count, DeviceIds, Flag, Id, Text, Time
from gateway.api.services import ApiServices, request_stream, services
from gateway.tenancy.scopes import TenantScope
from gateway.tenancy.tenants import DEFAULT_TENANT_ID

__all__ = [
    "API_PREFIX",
    "BINARY",
    "Api",
    "ApiServices",
    "Blueprint",
    "Choice",
    "Count",
    "DeviceIds",
    "ErrorSchema",
    "Flag",
    "Id",
    "PageArgsSchema",
    "ReasonSchema",
    "ReplySchema",
    "Schema",
    "Text",
    "Time",
    "current_name",
    "current_scope",
    "no_content",
    "offset_of",
    "paginated",
    "request_stream",
    "services",
]

API_PREFIX = "/api/v1"

#: The schema of a body that is not JSON.
BINARY = {"type": "string", "format": "binary"}

PAGINATION_HEADER = {
    "X-Pagination": {
        "description": "JSON: total, total_pages, first_page, last_page, page, previous_page, next_page",
        "schema": {"type": "string"},
    }
}


def current_scope() -> TenantScope:
    """The tenant for whom this request is answered: every query of a route goes through it."""
    if "scope" not in g:
        g.scope = TenantScope(DEFAULT_TENANT_ID)
    return g.scope


def current_name() -> str:
    """Who asks, as it is kept beside what was done: without users that is the address that the request came from."""
    return request.remote_addr or "somebody"


class Schema(ma.Schema):
    """Base of what callers send: unknown fields are errors. Read-only fields of our own replies are passed over,
    so that what GET gave can be sent back by PUT."""

    class Meta:
        unknown = ma.RAISE

    error_messages = {  # noqa: RUF012 (marshmallow's own attribute)
        "unknown": "is not a known field",
        "type": "must be a JSON object",
    }

    def on_bind_field(self, field_name: str, field_obj: ma.fields.Field) -> None:
        name = field_obj.data_key or field_name
        field_obj.error_messages["required"] = f"'{name}' is required"
        field_obj.error_messages["null"] = f"'{name}' must not be null"

    @ma.pre_load
    def drop_read_only(self, data: Any, **_options: Any) -> Any:
        if not isinstance(data, dict) or not self.dump_fields.keys() - self.load_fields.keys():
            return data
        read_only = {field.data_key or name for name, field in self.dump_fields.items() if field.dump_only}
        return {key: value for key, value in data.items() if key not in read_only}


class ReplySchema(ma.Schema):
    """Base of what the API sends."""


class ReasonSchema(ReplySchema):
    """Why something is as it is."""

    code = ma.fields.String(required=True, metadata={"description": "a stable word for programs", "example": "refused"})
    message = ma.fields.String(required=True, metadata={"description": "what happened, for people"})
    remedy = ma.fields.String(required=True, metadata={"description": "what to do about it; may be empty"})


class PageArgsSchema(Schema):
    """Query of a list."""

    page = Count(load_default=1, low=1, high=1_000_000, metadata={"description": "page, from 1"})
    page_size = Count(load_default=50, low=1, high=200, metadata={"description": "items on a page"})


class _Parser(FlaskParser):
    """Reads arguments; a query with an unknown name is an error, as it is in a body."""

    DEFAULT_UNKNOWN_BY_LOCATION = {**FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION, "query": ma.RAISE}  # noqa: RUF012

    def load_json(self, req: Any, schema: ma.Schema) -> Any:
        if req.content_length is None and len(req.get_data(cache=True)) >= (req.max_content_length or math.inf):
            raise RequestEntityTooLarge  # a chunked body: werkzeug cuts it off at the limit and says nothing
        try:
            return super().load_json(req, schema)
        except RecursionError:
            raise BadRequest("the JSON is nested too deeply") from None
        except ValueError:
            raise BadRequest("the JSON holds a number that is too long") from None


class Blueprint(flask_smorest.Blueprint):
    """A box of routes under the API's prefix."""

    ARGUMENTS_PARSER = _Parser()

    def list_response(self, schema: type[ma.Schema], **options: Any) -> Any:
        """`response(200)` for an array with the X-Pagination header; the route returns `paginated(...)`."""
        return self.response(200, schema(many=True), headers=PAGINATION_HEADER, **options)

    def file_response(self, content_type: str, **options: Any) -> Any:
        """Document a file that is sent whole (200), as one range (206) or not at all (304): see `file_replies`."""

        def decorate(function: Any) -> Any:
            function = self.alt_response(304, description="not modified: If-None-Match names this version")(function)
            function = self.alt_response(
                206, schema=BINARY, content_type=content_type, description="the range that Range names"
            )(function)
            return self.response(200, BINARY, content_type=content_type, **options)(function)

        return decorate

    def errors(self, *codes: int) -> Any:
        """Document the errors that a route may answer beside those that any may."""

        def decorate(function: Any) -> Any:
            for code in codes:
                function = self.alt_response(code, schema=ErrorSchema)(function)
            return function

        return decorate


class Api(flask_smorest.Api):
    """The API with its one error shape."""

    ERROR_SCHEMA = ErrorSchema

    def _register_error_handlers(self) -> None:
        register_error_handlers(self._app)

    def add(self, blueprint: flask_smorest.Blueprint) -> None:
        """Register a blueprint under the API's prefix."""
        prefix = blueprint.url_prefix or ""
        if not prefix.startswith(API_PREFIX):
            prefix = API_PREFIX + prefix
        self.register_blueprint(blueprint, url_prefix=prefix)


def paginated(items: Any, total: int, args: dict[str, Any]) -> tuple[Any, int, dict[str, str]]:
    """What a route with `list_response` returns: the page's items, and how many there are on all pages."""
    header = Blueprint._make_pagination_metadata(args["page"], args["page_size"], total)
    return items, 200, {Blueprint.PAGINATION_HEADER_NAME: json.dumps(header)}


def offset_of(args: dict[str, Any]) -> int:
    """How many items stand on the pages before."""
    return (args["page"] - 1) * args["page_size"]


def no_content() -> Response:
    """204 without a body and without a content type."""
    response = Response(status=204)
    response.headers.pop("Content-Type", None)
    return response
