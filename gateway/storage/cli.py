"""The command `vas storage`: state of the store of footage, comparison of rows with files, and repair."""

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import click
import redis
from rich.console import Console
from rich.table import Table

from gateway import database
from gateway.clock import DAY_MS, SystemClock, format_time
from gateway.config import Config
from gateway.errors import VasError
from gateway.plugin_manager import create_plugin_manager
from gateway.redis_client import connect_redis
from gateway.storage.clock_trust import confirm_clock
from gateway.storage.folders import Folder, list_folders
from gateway.storage.health import read_storage_state
from gateway.storage.local import adopt_storage, open_storage
from gateway.storage.reconciliation import Reconciliation, Scan
from gateway.storage.recorders import LivingRecorders, find_recorder
from gateway.storage.report import StorageReports
from gateway.storage.sweep import DAYS_BEFORE, Sweep
from gateway.storage.usage import count_bytes

console = Console(highlight=False)

_days = click.option("--days", type=click.IntRange(1), help="Only this many days back; all days by default.")


class Refused(click.ClickException):
    """An error of the domain, shown as one sentence without a traceback."""

    def show(self, file: Any = None) -> None:
        click.echo(f"vas: {self.format_message()}", err=True)


def with_services(function: Callable[..., Any]) -> Callable[..., Any]:
    """Pass settings and a Redis client to a command; errors of the domain become one sentence and exit code 1."""

    @wraps(function)
    def wrapper(**options: Any) -> Any:
        try:
            config = Config.from_environment()
            database.connect(config)
            return function(config, connect_redis(config.redis_url, timeout_seconds=5), **options)
        except VasError as error:
            raise Refused(error.message) from error
        except redis.RedisError as error:
            raise Refused("Redis does not answer: without it the devices being recorded are unknown") from error

    return wrapper


@click.group()
def storage() -> None:
    """The store of footage."""


@storage.command()
@with_services
def status(config: Config, client: redis.Redis) -> None:
    """Show the state, the space and the last report of housekeeping."""
    found = read_storage_state(config, client)
    lines = [("folder", str(config.recordings_dir)), ("state", found.state)]
    if found.message:
        lines.append(("why", f"{found.message} ({found.reason})"))
    if found.space is not None:
        lines += [
            ("space", f"{_format_size(found.space.total)}, {_format_size(found.space.free)} free"),
            ("kept free", _format_size(found.floor_bytes)),
        ]
    lines += [
        ("footage", _format_size(sum(count_bytes().values()))),
        ("written", f"{_format_size(found.bytes_per_hour)} an hour"),
    ]
    if found.report is not None:
        report = found.report
        lines += [
            ("housekeeping by", f"{report.worker}, {_format_age(report.at)}"),
            ("last retention", _format_age(report.retention_at)),
            ("last deleted", _format_counts(report.deleted)),
            ("last full comparison", f"{_format_age(report.checked_at)} {_format_counts(report.found)}".strip()),
        ]
    _print(lines)
    sys.exit(0 if found.state == "ok" else 1)


@storage.command()
@_days
@with_services
def check(config: Config, client: redis.Redis, days: int | None) -> None:
    """Compare files and rows without changing anything; exit code 1 when they disagree."""
    total, kinds = Scan(), Counter()
    reconciliation = Reconciliation(open_storage(config), SystemClock(), is_recorded=_living_recorders(config, client))
    for folder in _folders(days):
        scan = reconciliation.scan(folder)
        total.add(scan)
        for mismatch in scan.mismatches:
            kinds[mismatch.kind.value] += 1
            console.print(f"{mismatch.kind.value}: {mismatch.key}")
    console.print(
        f"compared {total.checked} segments: "
        + (_format_counts(kinds) if kinds else "files and rows agree")
        + (f"; {total.elsewhere} are in a store that is not here" if total.elsewhere else "")
    )
    sys.exit(1 if kinds else 0)


@storage.command()
@click.option(
    "--accept", is_flag=True, help="Accept the loss of footage whose files are missing, even if it is most of it."
)
@_days
@with_services
def repair(config: Config, client: redis.Redis, *, accept: bool, days: int | None) -> None:
    """Repair files and rows: adopt, close, truncate or mark as missing. Files of unknown origin are quarantined."""
    clock = SystemClock()
    reconciliation = Reconciliation(
        open_storage(config), clock, is_recorded=_living_recorders(config, client), may_lose=accept
    )
    sweep = Sweep(reconciliation, StorageReports(client), clock)
    if not accept:
        sweep.survey()
    sweep.repair(_folders(days))
    console.print(f"repaired: {_format_counts(sweep.done)}" if sweep.done else "there was nothing to repair")


@storage.command()
@with_services
def adopt(config: Config, client: redis.Redis) -> None:
    """Make RECORDINGS_DIR a store, after a disk was added or replaced and footage was copied to it."""
    adopted = adopt_storage(config)
    StorageReports(client).forget_sweep()
    console.print(f"the folder '{config.recordings_dir}' is store {adopted.id}; its footage is adopted gradually,")
    console.print("or at once by 'vas storage repair'")


@storage.command("trust-clock")
@with_services
def trust_clock(config: Config, client: redis.Redis) -> None:
    """Confirm that the clock of this machine is right: what is too old by it is deleted, even if it is most of it."""
    confirm_clock(SystemClock())
    StorageReports(client).forget_doubt()
    console.print(f"the clock is trusted: it is {format_time(int(time.time() * 1000))}")


def _living_recorders(config: Config, client: redis.Redis) -> LivingRecorders:
    return LivingRecorders(client, find_recorder(create_plugin_manager(config), config))


def _folders(days: int | None) -> Iterator[Folder]:
    now_ms = int(time.time() * 1000)
    for folder in list_folders(now_ms, days_before=DAYS_BEFORE):
        if days is not None and folder.day <= now_ms // DAY_MS - days:
            return
        yield folder


def _print(lines: list[tuple[str, str]]) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    for line in lines:
        table.add_row(*line)
    console.print(table)


def _format_counts(counts: dict[str, int]) -> str:
    if not counts:
        return "nothing"
    return ", ".join(_format_size(count) if name == "bytes" else f"{count} {name}" for name, count in counts.items())


def _format_size(count: int | None) -> str:
    if count is None:
        return "unknown"
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"


def _format_age(at: float | None) -> str:
    if at is None:
        return "never"
    seconds = max(0, int(time.time() - at))
    for limit, unit, length in ((120, "s", 1), (7200, "min", 60)):
        if seconds < limit:
            return f"{seconds // length} {unit} ago"
    return f"{seconds // 3600} h ago"
