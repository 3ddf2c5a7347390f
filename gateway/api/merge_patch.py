"""PATCH as a JSON merge patch (RFC 7396): a field that is sent replaces that of the resource."""

from collections.abc import Callable
from typing import Any, TypeVar

import marshmallow as ma
from flask_smorest import abort

from gateway.errors import VersionChanged

T = TypeVar("T")

CONTENT_TYPE = "application/merge-patch+json"
#: A change without If-Match is made anew this often when others change the resource at the same time.
_ATTEMPTS = 5
_MAX_DEPTH = 4


class MergePatchSchema(ma.Schema):
    """A body of any fields; `merge` checks them. The document shows the fields of the PUT request of the same path."""

    class Meta:
        unknown = ma.INCLUDE

    error_messages = {"type": "must be a JSON object"}  # noqa: RUF012 (marshmallow's own attribute)


def merge(schema: type[ma.Schema], shown: Any, patch: dict[str, Any]) -> dict[str, Any]:
    """The data of a PUT of the resource `shown` (as its route shows it) after a patch; aborts with 422."""
    form = schema()
    known = {field.data_key or name: field for name, field in form.fields.items()}
    body = {name: value for name, value in form.dump(shown).items() if name in known and not known[name].dump_only}
    for name, value in patch.items():
        if value is None and name in known:
            body.pop(name, None)
        else:
            # Lists are replaced as a whole, and so is a value that becomes an object.
            body[name] = _merge(body.get(name), value) if name in known else value
    try:
        return form.load(body)
    except ma.ValidationError as error:
        abort(422, errors={"json": error.normalized_messages()})


def repeat_unless_conditional(change: Callable[[], T], headers: dict[str, Any]) -> T:
    """Make a change of what was just read; without If-Match, anew if the resource was changed in between.

    Raises VersionChanged.
    """
    for _ in range(_ATTEMPTS - 1 if headers["if_match"] is None else 0):
        try:
            return change()
        except VersionChanged:
            continue
    return change()


def _merge(target: Any, patch: Any, depth: int = 0) -> Any:
    """MergePatch of RFC 7396. No resource is deeper than `_MAX_DEPTH`: what is, is refused by the schema."""
    if not isinstance(patch, dict) or depth > _MAX_DEPTH:
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merge(merged.get(name), value, depth + 1)
    return merged
