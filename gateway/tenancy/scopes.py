"""Rows, fields and the scopes through which every query goes.

A model of a tenant's rows has no queries of its own: `Device.select()` raises. `TenantScope` restricts each query to
the tenant; `EVERY_TENANT` is for workers, the clock process and commands, which serve all tenants. Footage, which has
millions of rows, belongs to a recording and is scoped in the same way: `FootageScope` and `EVERY_RECORDING`.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import peewee

from gateway import database


class UnscopedQuery(RuntimeError):
    """A query without a tenant: a mistake in the code, never in a request."""


class IdField(peewee.Field):
    """A UUID; in Python its canonical text."""

    field_type = "UUID"

    def db_value(self, value: Any) -> str | None:
        return None if value is None else str(uuid.UUID(str(value)))

    def python_value(self, value: Any) -> str | None:
        return None if value is None else str(value)


class TimeField(peewee.Field):
    """A time; in Python always timezone-aware and in UTC."""

    field_type = "DATETIME"

    def db_value(self, value: datetime | None) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"'{self.name}' must be an aware datetime, not {value.isoformat()!r}")
        value = value.astimezone(UTC)
        # SQLite compares text: a fixed format makes text order equal time order.
        return value if database.is_postgresql() else value.isoformat(timespec="microseconds")

    def python_value(self, value: Any) -> datetime | None:
        if value is None:
            return None
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class Row(peewee.Model):
    """Base of every table."""

    class Meta:
        database = database.proxy
        legacy_table_names = False


def _refuse(name: str) -> classmethod:
    def refuse(cls: type, *_args: Any, **_options: Any) -> Any:
        raise UnscopedQuery(
            f"'{cls.__name__}.{name}' names no tenant: use a scope, such as scope.select({cls.__name__})"
        )

    return classmethod(refuse)


class ScopedRow(Row):
    """Base of tables that can be queried through a scope only: their own queries raise `UnscopedQuery`.

    A scope bypasses this with `super(ScopedRow, model)`.
    """

    select = _refuse("select")
    insert = _refuse("insert")
    insert_many = _refuse("insert_many")
    insert_from = _refuse("insert_from")
    replace = _refuse("replace")
    replace_many = _refuse("replace_many")
    update = _refuse("update")
    delete = _refuse("delete")
    raw = _refuse("raw")
    create = _refuse("create")
    get = _refuse("get")
    get_or_none = _refuse("get_or_none")
    get_or_create = _refuse("get_or_create")
    get_by_id = _refuse("get_by_id")
    set_by_id = _refuse("set_by_id")
    delete_by_id = _refuse("delete_by_id")
    bulk_create = _refuse("bulk_create")
    bulk_update = _refuse("bulk_update")


class TenantRow(ScopedRow):
    """Base of every table whose rows belong to a tenant."""

    tenant_id = IdField()


class EveryTenantScope:
    """Queries over all tenants' rows. Not for code that answers a person's request."""

    tenant_id: str | None = None

    def select(self, model: type[TenantRow], *fields: Any) -> peewee.ModelSelect:
        """A SELECT on the rows of the scope."""
        return self._limit(model, super(ScopedRow, model).select(*fields))

    def update(self, model: type[TenantRow], **values: Any) -> peewee.ModelUpdate:
        """An UPDATE of the rows of the scope; the caller adds `.where(...)` and `.execute()`."""
        return self._limit(model, super(ScopedRow, model).update(**values))

    def delete(self, model: type[TenantRow]) -> peewee.ModelDelete:
        """A DELETE of the rows of the scope; the caller adds `.where(...)` and `.execute()`."""
        return self._limit(model, super(ScopedRow, model).delete())

    def insert(self, model: type[TenantRow], **values: Any) -> peewee.ModelInsert:
        """An INSERT of one row, which must name its tenant."""
        if not values.get("tenant_id"):
            raise UnscopedQuery(f"a new '{model.__name__}' must name its tenant_id")
        return super(ScopedRow, model).insert(**values)

    def insert_many(self, model: type[TenantRow], rows: Sequence[Mapping[str, Any]]) -> peewee.ModelInsert:
        """An INSERT of several rows with the same columns, each of which must name its tenant."""
        if not all(row.get("tenant_id") for row in rows):
            raise UnscopedQuery(f"every new '{model.__name__}' must name its tenant_id")
        return super(ScopedRow, model).insert_many(rows)

    def _limit(self, _model: type[TenantRow], query: Any) -> Any:
        return query


class TenantScope(EveryTenantScope):
    """Queries over one tenant's rows; another tenant's rows do not exist in it."""

    def __init__(self, tenant_id: str) -> None:
        self.tenant_id = str(uuid.UUID(str(tenant_id)))

    def insert(self, model: type[TenantRow], **values: Any) -> peewee.ModelInsert:
        """An INSERT of one row of this tenant."""
        if values.setdefault("tenant_id", self.tenant_id) != self.tenant_id:
            raise UnscopedQuery(f"a new '{model.__name__}' of another tenant cannot be made in this scope")
        return super(ScopedRow, model).insert(**values)

    def insert_many(self, model: type[TenantRow], rows: Sequence[Mapping[str, Any]]) -> peewee.ModelInsert:
        """An INSERT of several rows of this tenant with the same columns."""
        if any(row.get("tenant_id", self.tenant_id) != self.tenant_id for row in rows):
            raise UnscopedQuery(f"a new '{model.__name__}' of another tenant cannot be made in this scope")
        return super(ScopedRow, model).insert_many([{**row, "tenant_id": self.tenant_id} for row in rows])

    def _limit(self, model: type[TenantRow], query: Any) -> Any:
        return query.where(model.tenant_id == self.tenant_id)

    def __repr__(self) -> str:
        return f"<TenantScope {self.tenant_id}>"


EVERY_TENANT = EveryTenantScope()


class FootageRow(ScopedRow):
    """Base of tables with very many rows: they belong to a recording, and through it to a tenant."""

    recording_id = peewee.BigIntegerField()


class EveryRecordingScope:
    """Queries over the footage of all recordings. Not for code that answers a person's request."""

    def select(self, model: type[FootageRow], *fields: Any) -> peewee.ModelSelect:
        """A SELECT on the rows of the scope."""
        return self._limit(model, super(ScopedRow, model).select(*fields))

    def update(self, model: type[FootageRow], **values: Any) -> peewee.ModelUpdate:
        """An UPDATE of the rows of the scope; the caller adds `.where(...)` and `.execute()`."""
        return self._limit(model, super(ScopedRow, model).update(**values))

    def delete(self, model: type[FootageRow]) -> peewee.ModelDelete:
        """A DELETE of the rows of the scope; the caller adds `.where(...)` and `.execute()`."""
        return self._limit(model, super(ScopedRow, model).delete())

    def _limit(self, _model: type[FootageRow], query: Any) -> Any:
        return query


class FootageScope(EveryRecordingScope):
    """Queries over one recording's footage. The id must come from a `Recording` found in a tenant's scope."""

    def __init__(self, recording_id: int) -> None:
        self.recording_id = recording_id

    def insert(self, model: type[FootageRow], **values: Any) -> peewee.ModelInsert:
        """An INSERT of one row of this recording."""
        return super(ScopedRow, model).insert(recording_id=self.recording_id, **values)

    def _limit(self, model: type[FootageRow], query: Any) -> Any:
        return query.where(model.recording_id == self.recording_id)

    def __repr__(self) -> str:
        return f"<FootageScope {self.recording_id}>"


EVERY_RECORDING = EveryRecordingScope()
