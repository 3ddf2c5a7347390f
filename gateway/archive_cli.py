"""The command `vas archive`: state of the archives, comparison with the index, and finding footage again."""

import time
from collections import Counter
from collections.abc import Iterator

import click
import redis
from rich.console import Console

from gateway import database
from gateway.archive.reconciliation import ArchiveCheck, ArchiveScan
from gateway.archive.removal import count_waiting_objects
from gateway.archive.status import read_tiers
from gateway.archives import Archive
from gateway.config import Config
from gateway.errors import InvalidValue
from gateway.inventory import DeviceValues, create_device
from gateway.plugin_loading import load_plugins
from gateway.plugin_manager import collect
from gateway.secrets import SecretBox
from gateway.storage.cli import with_services
from gateway.storage.folders import list_folders
from gateway.storage.limits import limits_of
from gateway.storage.local import open_storage
from gateway.tenancy.scopes import EVERY_TENANT, TenantScope
from gateway.tenancy.tenants import Tenant

console = Console(highlight=False, soft_wrap=True)

_name = click.option("--archive", "name", help="Only this archive; all by default.")


@click.group()
def archive() -> None:
    """Archives: stores of copies of footage."""


@archive.command()
@with_services
def status(config: Config, client: redis.Redis) -> None:
    """Show what is archived, what waits for a copy, and what is still to be deleted."""
    tiers = read_tiers(EVERY_TENANT)
    waiting = count_waiting_objects()
    for label, size in (
        ("on the local disk", tiers.local_bytes),
        ("copied to an archive", tiers.archived_bytes),
        ("in an archive only", tiers.away_bytes),
        ("waiting for a copy", tiers.waiting_bytes),
    ):
        console.print(f"{label}: {size / 1e9:.2f} GB")
    for found in _archives(config, None):
        console.print(f"archive '{found.name}': {waiting.pop(found.name, 0)} objects to delete")
    for name, count in waiting.items():
        console.print(f"archive '{name}' is not installed: {count} objects to delete")


@archive.command()
@click.option("--accept", is_flag=True, help="Accept the loss of copies without an object, even if it is most of them.")
@_name
@with_services
def check(config: Config, client: redis.Redis, *, accept: bool, name: str | None) -> None:
    """Compare copies with the objects of the archive; copies whose objects are gone are made again if possible."""
    for found in _archives(config, name):
        work = ArchiveCheck(found, may_lose=accept)
        for folder in list_folders(int(time.time() * 1000)):
            work.check(folder)
        console.print(f"archive '{found.name}': compared {work.checked} copies: {_format(work.done)}")


@archive.command()
@click.option("--create-devices", is_flag=True, help="Create devices that the database does not have, disabled.")
@click.option("--prefix", default="", help="Only objects whose keys begin so: TENANT/DEVICE/2026-11-22.")
@_name
@with_services
def scan(config: Config, client: redis.Redis, *, create_devices: bool, prefix: str, name: str | None) -> None:
    """Find footage in the archive that the database does not have, after it was restored or lost. May be repeated."""
    box = SecretBox.from_config(config)
    for found in _archives(config, name):
        work = ArchiveScan(
            found,
            open_storage(config).id,
            keeps_ms=lambda recording: limits_of(recording, config).archive_keep_ms,
            now_ms=int(time.time() * 1000),
            make_device=lambda tenant, device: create_devices and _create_device(tenant, device, box),
        )
        work.run(prefix)
        console.print(f"archive '{found.name}': {work.scanned} objects of footage: {_format(work.done)}")
        for (tenant_id, device_id), count in work.unknown.items():
            console.print(f"  {count} of a device that is not in the database: {device_id} (tenant {tenant_id})")
        if work.unknown and not create_devices:
            console.print("  create them with --create-devices")


def _archives(config: Config, name: str | None) -> Iterator[Archive]:
    found: list[Archive] = collect(load_plugins(config), "register_archives")
    if name is not None and name not in [one.name for one in found]:
        raise InvalidValue("archive", f"no installed plugin has an archive '{name}'")
    return (one for one in found if name in (None, one.name))


def _create_device(tenant_id: str, device_id: str, box: SecretBox) -> bool:
    """Create a disabled device without a camera; False if its tenant does not exist."""
    with database.session():
        if Tenant.get_or_none(Tenant.id == tenant_id) is None:
            return False
    values = DeviceValues(
        name=f"Restored {device_id[:8]}", source_url="rtsp://camera.invalid/", start_mode="manual", enabled=False
    )
    create_device(TenantScope(tenant_id), values, box, device_id=device_id)
    return True


def _format(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {action}" for action, count in counts.items()) or "nothing to do"
