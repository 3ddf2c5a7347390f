"""Building blocks of every API resource: Api, Blueprint, Schema, error shape, pagination, scope of the request.

Plugins build their own resources from the same blocks (`register_blueprints`).
"""

import json
import math
import re
import threading
from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import flask_smorest
import marshmallow as ma
from flask import Response, g, request
from flask.json.provider import DefaultJSONProvider
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from gateway.api import merge_patch
from gateway.api.conditional import IfMatchSchema, etag_header, location_header, seen_version, with_etag
from gateway.api.deferred import DeferredReply
from gateway.api.document import IGNORES_UNKNOWN_QUERY, NOT_MODIFIED, complete_document
from gateway.api.errors import ERROR_EXAMPLES, ErrorSchema, register_error_handlers
from gateway.api.merge_patch import MergePatchSchema
from gateway.api.services import ApiServices, request_stream, services
from gateway.api.time_fields import WeeklyPlan, ZoneName
from gateway.captures.clips import CLIP_CANCELLED
from gateway.captures.schedules import SCHEDULE_REASONS
from gateway.fields import Choice, Choices, Count, DeviceIds, Flag, Id, ShortList, Text, Time
from gateway.jobs.model import JOB_ERRORS
from gateway.states import REASONS
from gateway.tenancy.scopes import TenantScope
from gateway.tenancy.tenants import DEFAULT_TENANT_ID

__all__ = [
    "API_PREFIX",
    "BINARY",
    "Api",
    "ApiServices",
    "Blueprint",
    "Choice",
    "Choices",
    "Count",
    "DeferredReply",
    "DeviceIds",
    "ErrorSchema",
    "Flag",
    "Id",
    "IfMatchSchema",
    "JsonReplies",
    "PageArgsSchema",
    "ReasonSchema",
    "ReplySchema",
    "Schema",
    "ShortList",
    "Text",
    "Time",
    "WeeklyPlan",
    "ZoneName",
    "current_name",
    "current_scope",
    "etag_header",
    "location_header",
    "no_content",
    "offset_of",
    "paginated",
    "request_stream",
    "seen_version",
    "services",
    "with_etag",
]

API_PREFIX = "/api/v1"

#: The schema of a body that is not JSON.
BINARY = {"type": "string", "format": "binary"}

PAGINATION_HEADER = {
    "X-Pagination": {
        "description": "JSON object with total, total_pages, first_page, last_page, page, previous_page, next_page",
        "schema": {"type": "string"},
    }
}


def current_scope() -> TenantScope:
    """The tenant of the current request; every query of a route goes through it."""
    if "scope" not in g:
        g.scope = TenantScope(DEFAULT_TENANT_ID)
    return g.scope


def current_name() -> str:
    """The name that is stored as the author of a change: the client's address, as there are no users yet."""
    return request.remote_addr or "somebody"


class JsonReplies(DefaultJSONProvider):
    """The JSON of replies: UTF-8 in the order of the schema, with U+FFFD for each unpaired surrogate.

    UTF-8 cannot encode those. They come in a request's JSON as `\\ud800`, and from names of files that are not UTF-8.
    """

    ensure_ascii = False
    sort_keys = False
    _unpaired = re.compile("[\ud800-\udfff]")

    def dumps(self, obj: Any, **options: Any) -> str:
        return self._unpaired.sub("\ufffd", super().dumps(obj, **options))


class Schema(ma.Schema):
    """Base of request schemas: unknown fields are errors. Read-only fields are ignored, so that clients can send back
    with PUT what they received from GET."""

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
    """Base of reply schemas."""


#: The reasons of streams, recordings, jobs, clips and schedules by their codes; where two say the same, the first.
_KNOWN_REASONS = {CLIP_CANCELLED.code: CLIP_CANCELLED} | SCHEDULE_REASONS | JOB_ERRORS | REASONS


class ReasonCode(ma.fields.String):
    """The code of a reason; one that this version does not know, such as a plugin's, is shown as `unknown`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            metadata={
                "description": "stable identifier for programs. A later version may add codes: treat an unknown one "
                "as `unknown`",
                "example": "refused",
                "enum": sorted(_KNOWN_REASONS),
                "x-enumDescriptions": {code: _KNOWN_REASONS[code].message for code in sorted(_KNOWN_REASONS)},
            },
            **options,
        )

    def _serialize(self, value: Any, attr: str | None, obj: Any, **options: Any) -> Any:
        return super()._serialize(value if value in _KNOWN_REASONS else "unknown", attr, obj, **options)


class ReasonSchema(ReplySchema):
    """The cause of a state."""

    code = ReasonCode(required=True)
    message = ma.fields.String(required=True, metadata={"description": "what happened, as text for people"})
    remedy = ma.fields.String(
        required=True, metadata={"description": "how to resolve it, as text for people; may be empty"}
    )


class PageArgsSchema(Schema):
    """Query of a list."""

    page = Count(load_default=1, low=1, high=1_000_000, metadata={"description": "number of the page, from 1"})
    page_size = Count(load_default=50, low=1, high=200, metadata={"description": "items per page"})


class _Parser(FlaskParser):
    """Parses arguments; unknown names in a query are errors, as in a body."""

    DEFAULT_UNKNOWN_BY_LOCATION = {**FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION, "query": ma.RAISE}  # noqa: RUF012

    def load_json(self, req: Any, schema: ma.Schema) -> Any:
        body = _read_body(req)
        if req.content_length is None and len(body) >= (req.max_content_length or math.inf):
            raise RequestEntityTooLarge  # werkzeug truncates a chunked body at the limit without an error
        if not body and isinstance(schema, MergePatchSchema):
            raise BadRequest("the request body must be a JSON object with the fields to change")
        try:
            return super().load_json(req, schema)
        except RecursionError:
            raise BadRequest("the JSON is nested too deeply") from None
        except ValueError:
            raise BadRequest("the JSON contains a number that is too long") from None


def _read_body(req: Any) -> bytes:
    """Read the body, which is kept for the parser. The server raises errors of its own kinds for a malformed one."""
    try:
        return req.get_data(cache=True)
    except RequestEntityTooLarge:
        raise
    except Exception:
        raise BadRequest("the request body is malformed or incomplete") from None


class Blueprint(flask_smorest.Blueprint):
    """The routes of one resource, below the prefix of the API."""

    ARGUMENTS_PARSER = _Parser()

    def register_views_in_doc(self, api: "Api", *arguments: Any, **options: Any) -> None:
        """As flask-smorest's, when the document is wanted."""
        api.document_later(partial(super().register_views_in_doc, api, *arguments, **options))

    def response(self, *arguments: Any, **options: Any) -> Any:
        """As flask-smorest's; what `finish` of a DeferredReply returns is handled like the return value of the view."""
        dump = super().response(*arguments, **options)

        def decorate(function: Any) -> Any:
            dumped = dump(function)

            @wraps(dumped)
            def answer(*values: Any, **names: Any) -> Any:
                reply = dumped(*values, **names)
                if isinstance(reply, DeferredReply):
                    reply.finish = decorate(reply.finish)
                return reply

            return answer

        return decorate

    def media_arguments(self, schema: type[ma.Schema]) -> Any:
        """`arguments` from the query of a media address: unknown names, such as those of signed URLs, are ignored."""

        def decorate(function: Any) -> Any:
            function = self.arguments(schema, location="query", unknown=ma.EXCLUDE)(function)
            return self.doc(**{IGNORES_UNKNOWN_QUERY: True})(function)

        return decorate

    def patch_arguments(self) -> Any:
        """`arguments` of a PATCH: the body as it was sent, for `merge_patch.merge`."""
        return self.arguments(MergePatchSchema, content_type=merge_patch.CONTENT_TYPE)

    def list_response(self, schema: type[ma.Schema], **options: Any) -> Any:
        """`response(200)` for an array with the X-Pagination header; the route returns `paginated(...)`."""
        return self.response(200, schema(many=True), headers=PAGINATION_HEADER, **options)

    def file_response(self, content_type: str, **options: Any) -> Any:
        """Document a file that is sent whole (200), as one range (206) or not at all (304): see `file_replies`."""

        def decorate(function: Any) -> Any:
            function = self.alt_response(304, description=NOT_MODIFIED)(function)
            function = self.alt_response(
                206, schema=BINARY, content_type=content_type, description="the range that Range names"
            )(function)
            return self.response(200, BINARY, content_type=content_type, **options)(function)

        return decorate

    def errors(self, *codes: int) -> Any:
        """Document the errors of a route, in addition to those of every request."""

        def decorate(function: Any) -> Any:
            for code in codes:
                function = self.alt_response(code, schema=ErrorSchema)(function)
            return function

        return decorate


class Api(flask_smorest.Api):
    """The API, with one shape for all errors."""

    ERROR_SCHEMA = ErrorSchema
    _document: dict[str, Any] | None = None
    #: Adds to the document what the routes do not say; called when its operations have their ids.
    complete: Callable[[dict[str, Any]], None] | None = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        #: Registrations of routes in the document, which take far longer than those in Flask.
        self._undocumented: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        super().__init__(*arguments, **options)

    def document(self) -> dict[str, Any]:
        """The OpenAPI document. All resources are registered before the first call."""
        with self._lock:
            if self._document is None:
                self._document_blueprints()
                document = self.spec.to_dict()
                complete_document(document, self._app, ERROR_EXAMPLES, self.complete)
                self._document = document
            return self._document

    def _openapi_json(self) -> Response:
        return self._app.response_class(json.dumps(self.document()), mimetype="application/json")

    def _register_error_handlers(self) -> None:
        register_error_handlers(self._app)

    def add(self, blueprint: flask_smorest.Blueprint) -> None:
        """Register a blueprint below the prefix of the API."""
        prefix = blueprint.url_prefix or ""
        if not prefix.startswith(API_PREFIX):
            prefix = API_PREFIX + prefix
        self.register_blueprint(blueprint, url_prefix=prefix)

    def add_checked(self, blueprint: flask_smorest.Blueprint) -> None:
        """As `add`; also raises what is wrong with the documentation of its routes."""
        # First those that were added before: the first schema of a name keeps the name.
        self._document_blueprints()
        self.add(blueprint)
        self._document_blueprints()

    def document_later(self, register: Callable[[], None]) -> None:
        """Call `register` when the document is wanted: hardly any process is asked for it."""
        self._undocumented.append(register)

    def _document_blueprints(self) -> None:
        undocumented, self._undocumented = self._undocumented, []
        for register in undocumented:
            register()


def paginated(items: Any, total: int, args: dict[str, Any]) -> tuple[Any, int, dict[str, str]]:
    """The reply of a route with `list_response`: the items of the page, and the number of items on all pages."""
    header = Blueprint._make_pagination_metadata(args["page"], args["page_size"], total)
    return items, 200, {Blueprint.PAGINATION_HEADER_NAME: json.dumps(header)}


def offset_of(args: dict[str, Any]) -> int:
    """The number of items on the previous pages."""
    return (args["page"] - 1) * args["page_size"]


def no_content() -> Response:
    """204 without a body and without a content type."""
    response = Response(status=204)
    response.headers.pop("Content-Type", None)
    return response
