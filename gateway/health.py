"""The health of all components: for `/api/v1/health` and, with remedies, for `vas doctor`."""

import json
import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import redis

from gateway import __version__, database, migrations
from gateway.config import Config
from gateway.errors import BusUnavailable
from gateway.hookspecs import ComponentHealth, HealthCheck
from gateway.inventory import count_unreadable_devices
from gateway.isolation.problems import STATES
from gateway.leases import RECORD, SNAPSHOT, STREAM, WorkerSlots
from gateway.plugin_manager import PluginManager, collect_health_checks
from gateway.plugin_options.reader import OptionsCache, options_cache_of
from gateway.plugin_states import read_plugin_states
from gateway.plugin_work.overview import check_work
from gateway.redis_values import read_refusals
from gateway.secrets import SecretBox
from gateway.states import reason_for
from gateway.storage.health import check_storage
from gateway.storage.recorders import find_recorder
from gateway.streams.bus import MediaBus

logger = logging.getLogger(__name__)

#: Components without which the service is down; without any other it is only degraded.
VITAL = frozenset({"database", "redis", "plugins", "secret_key"})
#: A check that has not answered after this time counts as down.
CHECK_SECONDS = 2.0

#: The settings that give workers of a kind more slots.
_SLOT_SETTINGS = {
    STREAM: "STREAM_SLOTS",
    RECORD: "RECORD_SLOTS",
    SNAPSHOT: "SNAPSHOT_THREADS",
}
_LOW_DISK_BYTES = 1 << 30
_FULL_DISK_BYTES = 100 << 20
_OLDEST_REDIS = (6, 2)


def checks_of_services(
    config: Config,
    client: redis.Redis,
    bus: MediaBus,
    slots: WorkerSlots,
    plugins: PluginManager,
) -> list[HealthCheck]:
    """The checks of our own components and of every plugin."""
    return [
        HealthCheck("database", lambda: check_database_and_free_space(config.database_url)),
        HealthCheck("secret_key", lambda: check_secret_key(SecretBox.from_config(config))),
        HealthCheck("plugins", lambda: check_plugin_states(config, plugins, client)),
        HealthCheck("plugin_options", lambda: check_plugin_options(options_cache_of(plugins, config))),
        HealthCheck("plugin_work", lambda: check_plugin_work(plugins, client)),
        HealthCheck("redis", lambda: check_redis(client)),
        HealthCheck("media_bus", lambda: check_bus(bus)),
        HealthCheck("stream_slots", lambda: check_slots(slots, STREAM)),
        HealthCheck("record_slots", lambda: check_slots(slots, RECORD)),
        HealthCheck("snapshot_slots", lambda: check_slots(slots, SNAPSHOT)),
        HealthCheck("disk", lambda: check_disk(config.var_dir, "VAR_DIR")),
        HealthCheck("captures", lambda: check_disk(config.captures_dir, "CAPTURES_DIR")),
        HealthCheck("storage", lambda: check_storage(config, client)),
        *plugins.keep("health checks", lambda: collect_health_checks(plugins, config)),
    ]


def run_checks(checks: Iterable[HealthCheck]) -> dict[str, Any]:
    """Run all checks concurrently; returns `{status, version, components}` as the API shows it. Never raises."""
    answers: dict[str, dict[str, Any]] = {}

    def run(check: HealthCheck) -> None:
        started = time.perf_counter()
        try:
            health = asdict(check.check())
            require_json(health)
        except BaseException as error:
            logger.warning("health check '%s' failed: %s", check.name, error)
            health = asdict(ComponentHealth("down", f"its check failed with {type(error).__name__}", "see the log"))
        answers[check.name] = {**health, "latency_ms": round((time.perf_counter() - started) * 1000, 1)}

    checks = list(checks)
    deadline = time.monotonic() + CHECK_SECONDS
    threads = [_start_check(check.name, partial(run, check)) for check in checks]
    for thread in threads:
        if thread is not None:
            thread.join(max(0.0, deadline - time.monotonic()))
    late = ComponentHealth("down", f"no answer within {CHECK_SECONDS:g} seconds", "check whether it is overloaded")
    components = {
        check.name: answers.get(check.name) or {**asdict(late), "latency_ms": CHECK_SECONDS * 1000} for check in checks
    }
    return {"status": _overall(components), "version": __version__, "components": components}


def require_json(health: dict[str, Any]) -> None:
    """Raise TypeError or ValueError unless a plugin's answer can be shown."""
    json.dumps(health, allow_nan=False)
    if health["status"] not in ("ok", "degraded", "down"):
        raise ValueError(f"its status is {health['status']!r:.40}")


@dataclass(frozen=True, slots=True)
class _RunningCheck:
    thread: threading.Thread
    began: float


#: The last run of each check, by its name.
_running: dict[str, _RunningCheck] = {}
_running_lock = threading.Lock()


def _start_check(name: str, run: Callable[[], None]) -> threading.Thread | None:
    """Run a check in a thread; None while an earlier one of this name hangs: no more than one thread waits with it."""
    with _running_lock:
        before = _running.get(name)
        if before is not None and before.thread.is_alive() and time.monotonic() - before.began > CHECK_SECONDS:
            return None
        thread = threading.Thread(target=run, name="health", daemon=True)
        _running[name] = _RunningCheck(thread, time.monotonic())
        thread.start()
        return thread


def _overall(components: dict[str, dict[str, Any]]) -> str:
    if any(components[name]["status"] == "down" for name in VITAL & components.keys()):
        return "down"
    return "ok" if all(item["status"] == "ok" for item in components.values()) else "degraded"


def check_database() -> ComponentHealth:
    """Check that the database answers and has the schema that this code needs."""
    kind = "PostgreSQL" if database.is_postgresql() else "SQLite"
    try:
        missing = migrations.missing_migrations()
    except database.DatabaseUnavailable as error:
        return ComponentHealth("down", error.message, "check DATABASE_URL and that the server runs", {"kind": kind})
    if missing:
        return ComponentHealth(
            "down",
            f"the schema is not up to date: {', '.join(missing)} is missing",
            "run 'vas release'",
            {"kind": kind},
        )
    return ComponentHealth("ok", detail={"kind": kind})


def check_database_and_free_space(url: str) -> ComponentHealth:
    """As `check_database`; also checks free space for a database that is a file. A full one can still be read."""
    health, file = check_database(), database.sqlite_file(url)
    if health.status == "ok" and file is not None and shutil.disk_usage(file.parent).free < _FULL_DISK_BYTES:
        return ComponentHealth(
            "degraded",
            "the disk of the database is full: changes may be refused",
            "free space on it",
            health.detail,
        )
    return health


def check_secret_key(box: SecretBox) -> ComponentHealth:
    """Check that the keys of this process encrypted the URLs of the devices."""
    try:
        unreadable, total = count_unreadable_devices(box)
    except database.DatabaseUnavailable:
        return ComponentHealth("degraded", "unknown while the database does not answer", "check DATABASE_URL")
    detail = {"devices": total, "unreadable": unreadable}
    if not unreadable:
        return ComponentHealth("ok", detail=detail)
    reason = reason_for("wrong_secret_key")
    return ComponentHealth(
        "down" if unreadable == total else "degraded",
        f"the URLs of {unreadable} of {total} devices were encrypted with another SECRET_KEY",
        reason.remedy,
        detail | {"code": reason.code},
    )


def check_plugins(plugins: PluginManager) -> ComponentHealth:
    """Check that there are plugins: without any, nothing is recorded and no browser gets live video by WebRTC."""
    running = len(plugins.list_name_plugin())
    if running:
        return ComponentHealth("ok", detail={"installed": running})
    detail = {"installed": len(plugins.faulty), "code": "no_plugins"}
    if plugins.faulty:
        worst = plugins.faulty[0]
        return ComponentHealth("down", f"no plugin runs: '{worst.name}' {worst.reason}", worst.remedy, detail)
    return ComponentHealth(
        "down",
        "no plugin is installed: there is no WebRTC and no recording",
        "install VAS as a package, so that its entry points are found: 'pip install -e .'",
        detail,
    )


def check_plugin_states(config: Config, plugins: PluginManager, client: redis.Redis) -> ComponentHealth:
    """As `check_plugins`; also names the plugins that do not run as they should in some process."""
    health = check_plugins(plugins)
    if health.status == "down":
        return health
    found = read_plugin_states(plugins, client)
    detail = {"installed": len(found), "states": {one.name: one.state for one in found if one.state != "running"}}
    worst = next((one for state in STATES[:3] for one in found if one.state == state), None)
    if find_recorder(plugins, config) is None:
        return ComponentHealth(
            "degraded",
            "no plugin records: " + (f"'{worst.name}' {worst.reason}" if worst else "none with an output for it runs"),
            (worst and worst.remedy) or "install or switch on a plugin that records (PLUGINS_OFF)",
            detail,
        )
    if worst is None:
        return ComponentHealth("ok", detail=detail)
    return ComponentHealth("degraded", f"plugin '{worst.name}': {worst.reason}", worst.remedy, detail)


def check_plugin_options(cache: OptionsCache) -> ComponentHealth:
    """Check that the schemas of plugins' options can be used, and that what is stored fits them."""
    faults = cache.registry.faults
    try:
        snapshot = cache.current()
    except database.DatabaseUnavailable:
        return ComponentHealth("degraded", "unknown while the database does not answer", "check DATABASE_URL")
    problems = {forms.plugin: snapshot.problems(forms) for forms in cache.registry.all()}
    unfit = {plugin: [one.message for one in found[:10]] for plugin, found in problems.items() if found}
    if faults:
        name = min(faults)
        return ComponentHealth(
            "degraded",
            f"the options of plugin '{name}' cannot be used: {faults[name]}",
            "install another version of the plugin",
            {"faults": faults, "problems": unfit},
        )
    if unfit:
        name = min(unfit)
        return ComponentHealth(
            "degraded",
            f"stored options of plugin '{name}' do not fit this version of it, and are not used: {unfit[name][0]}",
            "set them again; GET /api/v1/plugins/{name}/options and /devices/{id}/plugins name them all",
            {"faults": {}, "problems": unfit},
        )
    return ComponentHealth("ok", detail={"plugins": len(problems)})


def check_plugin_work(plugins: PluginManager, client: redis.Redis) -> ComponentHealth:
    """Check the jobs, schedules, services and tables of plugins."""
    try:
        return check_work(plugins, client)
    except database.DatabaseUnavailable:
        return ComponentHealth("degraded", "unknown while the database does not answer", "check DATABASE_URL")


def check_readiness(config: Config, plugins: PluginManager) -> tuple[str, ComponentHealth]:
    """The first component that keeps the web process from serving: its reason code, and its health; or an ok one.

    `degraded` does not: requests are answered.
    """
    health = check_database()
    if health.status != "ok":
        return "not_ready", health
    for found in (check_plugins(plugins), check_secret_key(SecretBox.from_config(config))):
        if found.status == "down":
            return found.detail["code"], found
    return "", ComponentHealth("ok")


def check_redis(client: redis.Redis) -> ComponentHealth:
    """Check that Redis answers, is new enough and has free memory, and that nothing in it had to be refused."""
    try:
        info = client.info()
        refused = read_refusals(client)
    except redis.RedisError:
        return ComponentHealth("down", "Redis does not answer", "start Redis and check REDIS_URL")
    version = str(info.get("redis_version", "0"))
    detail = {"version": version, "used_memory": info.get("used_memory"), "clients": info.get("connected_clients")}
    if tuple(int(part) for part in version.split(".")[:2] if part.isdigit()) < _OLDEST_REDIS:
        return ComponentHealth("degraded", f"Redis {version} is too old", "install Redis 6.2 or later", detail)
    limit, policy = info.get("maxmemory") or 0, info.get("maxmemory_policy", "noeviction")
    if limit and policy != "noeviction":
        return ComponentHealth(
            "degraded",
            f"Redis may drop queued jobs: its maxmemory-policy is '{policy}'",
            "set maxmemory-policy to noeviction, or use a separate Redis for the media bus (MEDIA_REDIS_URL)",
            detail,
        )
    return describe_refusals(refused, detail) if refused else ComponentHealth("ok", detail=detail)


def check_bus(bus: MediaBus) -> ComponentHealth:
    """Check that the media bus answers."""
    try:
        bus.ping()
        refused = bus.read_refusals()
    except BusUnavailable:
        return ComponentHealth(
            "down", "the media bus does not answer", "start its Redis and check MEDIA_REDIS_URL (or REDIS_URL)"
        )
    return describe_refusals(refused, {}) if refused else ComponentHealth("ok")


def describe_refusals(refused: dict[str, int], detail: dict[str, Any]) -> ComponentHealth:
    """The health of a Redis with values that were refused of late."""
    return ComponentHealth(
        "degraded",
        f"{sum(refused.values())} values in it were refused within the last hour",
        "see the logs; let nobody else write to this Redis: set a password, or use a Unix socket",
        {**detail, "refused": refused},
    )


def check_slots(slots: WorkerSlots, kind: str) -> ComponentHealth:
    """Check that workers of a kind (`stream`, `record`, `snapshot`) are alive and have free slots."""
    try:
        workers = slots.read(kind)
    except redis.RedisError:
        return ComponentHealth("down", "unknown while Redis does not answer", "start Redis and check REDIS_URL")
    used = sum(pair[0] for pair in workers.values())
    total = sum(pair[1] for pair in workers.values())
    detail = {"workers": len(workers), "used": used, "free": max(0, total - used), "total": total}
    if not workers:
        return ComponentHealth("down", f"no {kind} worker runs", f"start the {kind} process (Procfile)", detail)
    if used >= total:
        return ComponentHealth(
            "degraded",
            f"all {total} {kind} slots are in use",
            f"raise {_SLOT_SETTINGS[kind]}, or start another {kind} worker",
            detail,
        )
    return ComponentHealth("ok", detail=detail)


def check_disk(folder: Path, setting: str) -> ComponentHealth:
    """Check that the folder of a setting is writable and has free space."""
    place = folder.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    usage = shutil.disk_usage(place)
    detail = {"total_bytes": usage.total, "free_bytes": usage.free}
    if not os.access(place, os.W_OK):
        return ComponentHealth("down", f"'{folder}' cannot be written", f"check the rights of {setting}", detail)
    if usage.free < _FULL_DISK_BYTES:
        return ComponentHealth("down", f"the disk of '{folder}' is full", f"free space, or move {setting}", detail)
    if usage.free < _LOW_DISK_BYTES:
        return ComponentHealth(
            "degraded", f"the disk of '{folder}' is nearly full", f"free space, or move {setting}", detail
        )
    return ComponentHealth("ok", detail=detail)
