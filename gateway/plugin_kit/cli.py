"""`vas plugin`: writes, checks and lists plugins, and deletes their data."""

import json
import shutil
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway import database
from gateway.config import Config
from gateway.errors import VasError
from gateway.plugin_work.migrating import drop_tables, tables_of
from gateway.storage.cli import Refused

console = Console(highlight=False, soft_wrap=True)


@click.group()
def plugin() -> None:
    """Write, check and list plugins."""


@plugin.command()
@click.argument("name")
@click.option("--into", type=click.Path(path_type=Path), default=Path(), help="The folder in which it is written.")
def new(name: str, into: Path) -> None:
    """Write the project of a plugin NAME: a folder vas-NAME with an output, options, README and tests."""
    from gateway.plugin_kit.scaffold import create_project

    try:
        folder = create_project(name, into)
    except VasError as error:
        raise Refused(error.message) from error
    bin_folder = Path(sys.executable).parent
    python = "python" if shutil.which("python") == sys.executable else sys.executable
    vas = "vas" if shutil.which("vas") in (None, str(bin_folder / "vas")) else str(bin_folder / "vas")
    click.echo(f"written: {folder}")
    click.echo(f"  {vas} plugin check {folder}")
    click.echo(f"  {python} -m pytest {folder}")
    click.echo(f"  {python} -m pip install -e {folder}    # then restart VAS")


@plugin.command()
@click.argument("target", default=".")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.option(
    "--seconds", type=click.FloatRange(1, 3600), default=30.0, show_default=True, help="Longest time of one step."
)
def check(target: str, as_json: bool, seconds: float) -> None:
    """Check the plugins of a project's folder, or an installed plugin, by TARGET; the present folder by default.

    Imports it and calls its register hooks in a process of its own, with an empty database. Exit code 1 for errors.
    """
    from gateway.plugin_kit.check import check_target
    from gateway.plugin_kit.findings import ERROR

    reports = check_target(target, step_seconds=seconds)
    is_usable = all(report.is_usable for report in reports)
    if as_json:
        answer = [
            {"name": report.name, "ok": report.is_usable, "findings": [one.to_dict() for one in report.findings]}
            for report in reports
        ]
        click.echo(json.dumps({"ok": is_usable, "plugins": answer}, indent=2))
        sys.exit(0 if is_usable else 1)
    for report in reports:
        for finding in report.findings:
            level = (finding.level, "red" if finding.level == ERROR else "yellow")
            console.print(Text.assemble(_printable(finding.place), level, f": {_printable(finding.message)}"))
            if finding.remedy:
                console.print(Text(f"  {_printable(finding.remedy)}"))
        if report.name:
            errors = sum(finding.level == ERROR for finding in report.findings)
            counts = f"{errors} errors, {len(report.findings) - errors} warnings"
            console.print(Text(f"plugin '{report.name}': {counts if report.findings else 'ok'}"))
    sys.exit(0 if is_usable else 1)


def _printable(text: str) -> str:
    """A text with a sign for what is none: names of files may be any bytes."""
    return text.encode("utf-8", "replace").decode("utf-8")


@plugin.command("list")
@click.option("--processes", is_flag=True, help="Print only the names of processes that plugins' outputs ask for.")
def list_installed(processes: bool) -> None:
    """List the installed plugins with their states, also those that cannot be loaded."""
    from gateway.isolation.guard import GUARD
    from gateway.plugin_loading import load_plugins
    from gateway.plugin_states import read_plugin_states
    from gateway.redis_client import connect_redis
    from gateway.storage.recorders import list_output_processes

    try:
        config = Config.from_environment()
        GUARD.watch(config.var_dir)
        manager = load_plugins(config)
        if processes:
            click.echo("\n".join(list_output_processes(manager, config)))
            return
        states = read_plugin_states(manager, connect_redis(config.redis_url, timeout_seconds=2))
    except VasError as error:
        raise Refused(error.message) from error
    table = Table(box=None, pad_edge=False)
    for title in ("plugin", "package", "version", "state", "what", "remedy"):
        table.add_column(title, overflow="fold")
    for found in states:
        table.add_row(
            found.name, found.package, found.version, found.state, found.reason or found.description, found.remedy or ""
        )
    Console(highlight=False).print(table)


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
