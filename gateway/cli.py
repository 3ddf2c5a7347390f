"""The `vas` command: release, doctor, devices, storage, archive, plugin, demo, secrets, openapi."""

import json
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from gateway import __version__, database, migrations
from gateway.archive_cli import archive
from gateway.config import Config
from gateway.devices.sources import TLS_TRUSTS
from gateway.errors import VasError
from gateway.inventory import START_MODES, TRANSPORTS, list_devices, reseal_devices
from gateway.isolation.guard import GUARD
from gateway.leases import WorkerSlots
from gateway.plugin_kit.cli import plugin
from gateway.plugin_loading import load_plugins
from gateway.plugin_options.sealing import reseal_options
from gateway.plugin_work.migrating import migrate_plugins
from gateway.plugin_work.registrations import read_registered
from gateway.private_files import keep_files_private
from gateway.redis_client import connect_redis
from gateway.secrets import SecretBox
from gateway.storage.cli import storage
from gateway.streams.bus import MediaBus
from gateway.streams.messages import Messages
from gateway.tenancy.scopes import EVERY_TENANT, TenantScope
from gateway.tenancy.tenants import DEFAULT_TENANT_ID

_MARKS = {"ok": "[green]ok[/]", "degraded": "[yellow]degraded[/]", "down": "[red]down[/]"}

console = Console(highlight=False)


class CommandFailed(click.ClickException):
    """An error of ours, printed as one sentence without a traceback."""

    def show(self, file: Any = None) -> None:
        click.echo(f"vas: {self.format_message()}", err=True)


def exit_with_message(function: Callable[..., Any]) -> Callable[..., Any]:
    """Turn errors of the domain into one printed sentence and exit code 1."""

    @wraps(function)
    def wrapper(*args: Any, **options: Any) -> Any:
        try:
            return function(*args, **options)
        except VasError as error:
            raise CommandFailed(error.message) from error

    return wrapper


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="vas")
def main() -> None:
    """VAS, the Video Aggregation Service."""


@main.command()
@exit_with_message
def release() -> None:
    """Migrate the database to the present version. Safe to repeat and to run twice at the same time."""
    config = Config.from_environment()
    keep_files_private(config)
    database.connect(config)
    ran = migrations.migrate()
    console.print(f"database: {', '.join(ran)} applied" if ran else "database: up to date", soft_wrap=True)
    for report in migrate_plugins(read_registered(load_plugins(config))):
        if report.ran:
            console.print(f"plugin {report.plugin}: {', '.join(report.ran)} applied", soft_wrap=True)
        if report.failed:
            # Not the end of the release: everything else can run.
            click.echo(f"vas: plugin '{report.plugin}' is set aside: {report.failed}", err=True)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print the answer as /api/v1/health does.")
@exit_with_message
def doctor(as_json: bool) -> None:
    """Check every component and program. Prints a remedy for each problem; exit code 1 if there is any."""
    # Imported by the command that needs it, as the web framework below: `vas release` runs before each start.
    from gateway import health
    from gateway.doctor import program_checks

    config = Config.from_environment()
    database.connect(config)
    client = connect_redis(config.redis_url, timeout_seconds=2)
    bus = MediaBus(connect_redis(config.bus_redis_url, timeout_seconds=2))
    GUARD.watch(config.var_dir)
    checks = health.checks_of_services(config, client, bus, WorkerSlots(client), load_plugins(config))
    answer = health.run_checks([*checks, *program_checks(config)])
    if as_json:
        click.echo(json.dumps(answer, indent=2))
    else:
        _print_health(answer)
    sys.exit(0 if all(item["status"] == "ok" for item in answer["components"].values()) else 1)


def _print_health(answer: dict[str, Any]) -> None:
    table = Table(box=None, pad_edge=False)
    for title in ("component", "state", "what", "remedy"):
        table.add_column(title, overflow="fold")
    for name, item in answer["components"].items():
        detail = ", ".join(_format_detail(item["detail"]))
        table.add_row(name, _MARKS[item["status"]], item["reason"] or detail, item["remedy"] or "")
    console.print(table)


def _format_detail(detail: dict[str, Any]) -> list[str]:
    """Format the details of a component: lists as their length, nested values next to their key."""
    words = []
    for key, value in detail.items():
        if isinstance(value, dict):
            words += [f"{key} {text}" for text in _format_detail(value)]
        elif isinstance(value, list):
            words.append(f"{len(value)} {key}")
        elif key.endswith("_bytes") and isinstance(value, int):
            words.append(f"{value / 1e9:.1f} GB {key.removesuffix('_bytes')}")
        else:
            words.append(f"{key} {value}")
    return words


main.add_command(storage)
main.add_command(archive)
main.add_command(plugin)


@main.group()
def devices() -> None:
    """Add and list devices."""


@devices.command("list")
@exit_with_message
def devices_list() -> None:
    """List all devices with their states."""
    database.connect(Config.from_environment())
    table = Table(box=None, pad_edge=False)
    for title in ("name", "state", "desired", "start mode", "source", "id"):
        table.add_column(title, overflow="fold")
    offset = 0
    while True:
        page, total = list_devices(TenantScope(DEFAULT_TENANT_ID), limit=200, offset=offset)
        for device in page:
            table.add_row(
                device.name,
                device.stream.observed,
                device.stream.desired,
                device.start_mode,
                device.source_url,
                device.id,
            )
        offset += len(page)
        if not page or offset >= total:
            break
    console.print(table if offset else "there are no devices")


@devices.command("add")
@click.argument("name")
@click.argument("source_url")
@click.option("--sub-source-url", help="URL of the camera's smaller stream.")
@click.option("--transport", type=click.Choice(TRANSPORTS), default="tcp", show_default=True)
@click.option("--tls-trust", type=click.Choice(TLS_TRUSTS), default="verify", show_default=True)
@click.option("--tls-fingerprint", help="SHA-256 fingerprint of the camera's certificate, with '--tls-trust pinned'.")
@click.option("--start-mode", type=click.Choice(START_MODES), default="always", show_default=True)
@click.option("--description", default="")
@click.option("--location", default="")
@click.option("--tag", "tags", multiple=True, help="A tag; can be given more than once.")
@exit_with_message
def devices_add(**values: Any) -> None:
    """Add a device by its NAME and its rtsp or rtsps SOURCE_URL."""
    from gateway.api.devices import registration

    config = Config.from_environment()
    database.connect(config)
    values["tags"] = list(values["tags"])
    device = registration.add_device(values, config, SecretBox.from_config(config), Messages.connect(config))
    console.print(f"added {device.name}: {device.id}")


@main.group("demo")
def demo_group() -> None:
    """Manage the demo cameras."""


@demo_group.command("register")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@exit_with_message
def demo_register(file: Path) -> None:
    """Register each device of FILE once: a deleted one is not registered again."""
    from gateway.api.devices import registration

    config = Config.from_environment()
    database.connect(config)
    added = registration.register_devices(file, config, SecretBox.from_config(config), Messages.connect(config))
    console.print(f"demo devices added: {', '.join(added)}" if added else "demo devices: already registered")


@main.group("secrets")
def secrets_group() -> None:
    """Manage the encryption of camera credentials."""


@secrets_group.command("rotate")
@exit_with_message
def secrets_rotate() -> None:
    """Encrypt with the present SECRET_KEY what was encrypted with PREVIOUS_SECRET_KEYS."""
    config = Config.from_environment()
    database.connect(config)
    box = SecretBox.from_config(config)
    console.print(f"devices re-encrypted: {reseal_devices(EVERY_TENANT, box)}")
    console.print(f"plugin options re-encrypted: {reseal_options(EVERY_TENANT, box)}")


@main.command()
@exit_with_message
def openapi() -> None:
    """Print the OpenAPI document."""
    from gateway.app import create_app

    with create_app().test_client() as client:
        click.echo(json.dumps(client.get("/api/v1/openapi.json").json, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
