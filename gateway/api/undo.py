"""Deletion that can be undone: the same restore route for every resource that has it."""

from collections.abc import Callable
from typing import Any

import marshmallow as ma
from flask.views import MethodView

from gateway.api.base import Blueprint
from gateway.api.conditional import etag_header


def add_restore_route(
    blp: Blueprint, endpoint: str, noun: str, schema: type[ma.Schema], restore: Callable[[str], Any]
) -> None:
    """Add `POST /<id>/restore` to the blueprint of a resource.

    `noun` is the singular that the path parameter and the documentation use; `restore(id)` brings the resource back
    and gives the reply.
    """

    @blp.route(f"/<uuid:{noun}_id>/restore", endpoint=endpoint)
    class Restore(MethodView):
        @blp.response(200, schema, headers=etag_header(f"the {noun}"))
        @blp.errors(403, 404, 415, 503)
        @blp.doc(
            operationId=f"restore_{noun}",
            summary=f"Restore a deleted {noun}",
            description="Possible within UNDO_MINUTES of the deletion. May be repeated.",
        )
        def post(self, **path: Any) -> Any:
            return restore(str(path[f"{noun}_id"]))
