"""`vas plugin`: the data that plugins have in the database."""

import click

from gateway import database
from gateway.config import Config
from gateway.errors import VasError
from gateway.plugin_work.migrating import drop_tables, tables_of
from gateway.storage.cli import Refused


@click.group()
def plugin() -> None:
    """Manage the data of plugins."""


@plugin.command("drop-data")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def drop_data(name: str, *, yes: bool) -> None:
    """Delete the tables of the plugin NAME, which stay when it is uninstalled. Asks first."""
    try:
        database.connect(Config.from_environment())
        tables = tables_of(name)
        if not tables:
            click.echo(f"plugin '{name}' has no tables")
            return
        if not yes:
            click.confirm(f"Delete {', '.join(tables)} with all their rows?", abort=True)
        click.echo(f"deleted: {', '.join(drop_tables(name))}")
    except VasError as error:
        raise Refused(error.message) from error
