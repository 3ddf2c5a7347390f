"""Tenants, to which all other rows belong."""

import peewee

from gateway.tenancy.scopes import IdField, Row, TimeField

#: The tenant that the first migration creates; the only one until tenants can be administered.
DEFAULT_TENANT_ID = "00000000-0000-4000-8000-000000000001"


class Tenant(Row):
    """An organisation with its own devices."""

    id = IdField(primary_key=True)
    name = peewee.TextField(unique=True)
    created_at = TimeField()

    class Meta:
        table_name = "tenants"
