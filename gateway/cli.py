"""The `vas` command: release, doctor, devices, storage, demo, secrets, openapi."""

import json
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from gateway import __version__, database, health, migrations
from gateway.api.devices import registration
from gateway.config import Config
from gateway.doctor import program_checks
from gateway.errors import VasError
from gateway.inventory import START_MODES, TRANSPORTS, list_devices, reseal_devices
from gateway.leases import WorkerSlots
from gateway.plugin_manager import create_plugin_manager
from gateway.redis_client import connect_redis
from gateway.secrets import SecretBox
from gateway.storage.cli import storage
from gateway.streams.bus import MediaBus
from gateway.streams.messages import Messages
from gateway.tenancy.scopes import EVERY_TENANT, TenantScope
from gateway.tenancy.tenants import DEFAULT_TENANT_ID

_MARKS = {"ok": "[green]ok[/]", "degraded": "[yellow]degraded[/]", "down": "[red]down[/]"}

console = Console(highlight=False)


class Refused(click.ClickException):
    """An error of ours in one sentence, without a traceback."""

    def show(self, file: Any = None) -> None:
        click.echo(f"vas: {self.format_message()}", err=True)


def in_words(function: Callable[..., Any]) -> Callable[..., Any]:
    """Turn errors of the domain into one sentence and exit code 1."""

    @wraps(function)
    def wrapper(*args: Any, **options: Any) -> Any:
        try:
            return function(*args, **options)
        except VasError as error:
            raise Refused(error.message) from error

    return wrapper


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="vas")
def main() -> None:
    """VAS, the Video Aggregation Service."""


@main.command()
@in_words
def release() -> None:
    """Bring the database up to date. Safe to repeat, and when two do it at once."""
    database.connect(Config.from_environment())
    ran = migrations.migrate()
    console.print(f"database: {', '.join(ran)} applied" if ran else "database: up to date")


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print the answer as /api/v1/health does.")
@in_words
def doctor(as_json: bool) -> None:
    """Look at every component and program; exit code 1 when something is wrong, its remedy beside it."""
    config = Config.from_environment()
    database.connect(config)
    client = connect_redis(config.redis_url, timeout_seconds=2)
    bus = MediaBus(connect_redis(config.bus_redis_url, timeout_seconds=2))
    checks = health.checks_of_services(config, client, bus, WorkerSlots(client), create_plugin_manager())
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
    """The figures of a component in words; lists are counted, and what is nested stands beside the rest."""
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


@main.group()
def devices() -> None:
    """Add and list devices."""


@devices.command("list")
@in_words
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
@click.option("--start-mode", type=click.Choice(START_MODES), default="always", show_default=True)
@click.option("--description", default="")
@click.option("--location", default="")
@click.option("--tag", "tags", multiple=True, help="May be given more than once.")
@in_words
def devices_add(**values: Any) -> None:
    """Add a device by its NAME and its rtsp or rtsps SOURCE_URL."""
    config = Config.from_environment()
    database.connect(config)
    values["tags"] = list(values["tags"])
    device = registration.add_device(values, config, SecretBox.from_config(config), Messages.connect(config))
    console.print(f"added {device.name}: {device.id}")


@main.group("demo")
def demo_group() -> None:
    """The demo cameras."""


@demo_group.command("register")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@in_words
def demo_register(file: Path) -> None:
    """Register the devices of FILE once: one that was deleted since does not come back."""
    config = Config.from_environment()
    database.connect(config)
    added = registration.register_devices(file, config, SecretBox.from_config(config), Messages.connect(config))
    console.print(f"demo devices added: {', '.join(added)}" if added else "demo devices: registered before")


@main.group("secrets")
def secrets_group() -> None:
    """The encryption of camera credentials."""


@secrets_group.command("rotate")
@in_words
def secrets_rotate() -> None:
    """Encrypt with the present SECRET_KEY what PREVIOUS_SECRET_KEYS encrypted."""
    config = Config.from_environment()
    database.connect(config)
    count = reseal_devices(EVERY_TENANT, SecretBox.from_config(config))
    console.print(f"devices encrypted anew: {count}")


@main.command()
@in_words
def openapi() -> None:
    """Print the OpenAPI document."""
    from gateway.app import create_app

    with create_app().test_client() as client:
        click.echo(json.dumps(client.get("/api/v1/openapi.json").json, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
