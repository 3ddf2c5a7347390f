"""Deletion that can be undone: the same restore route for every resource that has it."""

from collections.abc import Callable
from typing import Any

import marshmallow as ma
from flask.views import MethodView

from gateway.api.base import Blueprint
from gateway.api.conditional import etag_header


def add_restore_route(
    blp: Blueprint,
    endpoint: str,
    noun: str,
    schema: type[ma.Schema],
    restore: Callable[[str], Any],
    *,
    within: str = "UNDO_MINUTES",
    conflict: str = "",
) -> None:
    """Add `POST /<id>/restore` to the blueprint of a resource.

    `noun` is the singular that the path parameter and the documentation use; `restore(id)` brings the resource back
    and gives the reply. `within` is the setting of the time in which it is possible, `conflict` describes its 409.
    """
    statuses = (403, 404, 409, 415, 503) if conflict else (403, 404, 415, 503)

    @blp.route(f"/<uuid:{noun}_id>/restore", endpoint=endpoint)
    class Restore(MethodView):
        @blp.response(200, schema, headers=etag_header(f"the {noun}"))
        @blp.errors(*statuses)
        @blp.doc(
            operationId=f"restore_{noun}",
            summary=f"Restore a deleted {noun}",
            description=f"Possible within {within} of the deletion. May be repeated. {conflict}".rstrip(),
        )
        def post(self, **path: Any) -> Any:
            return restore(str(path[f"{noun}_id"]))
