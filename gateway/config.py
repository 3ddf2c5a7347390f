"""Every setting, read once from the environment, with its unit and default.

A contract test compares the tables in docs/settings.md with `describe_settings()`.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any

from gateway import private_redis
from gateway.errors import ConfigError
from gateway.secret_files import check_that_nothing_is_sealed, read_or_make_secret
from gateway.setting_parsers import (
    between,
    exact_one_of,
    one_of,
    parse_bool,
    parse_hosts,
    parse_keys,
    parse_list,
    parse_networks,
    parse_origins,
    parse_redis_url,
    parse_time_zone,
    parse_uri_prefix,
    text_of,
    url_of,
)

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_DEFAULT_DATABASE = "sqlite:///var/vas.db"


def setting(parse: Callable[[str], Any], default: Any, unit: str, about: str, *, is_secret: bool = False) -> Any:
    """Build a dataclass field that carries its parser and its documentation."""
    metadata = {"parse": parse, "unit": unit, "about": about}
    return field(default=default, metadata=metadata, repr=not is_secret)


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of one process. The environment variable is the attribute's name in capitals."""

    database_url: str = setting(
        url_of("sqlite", "postgresql", "postgres"),
        _DEFAULT_DATABASE,
        "URL",
        "the database: sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME",
        is_secret=True,
    )
    redis_url: str = setting(
        parse_redis_url,
        "",
        "URL",
        "Redis for queues, leases and live statistics; empty: the private one of `make run`",
        is_secret=True,
    )
    media_redis_url: str = setting(
        parse_redis_url,
        "",
        "URL",
        "Redis of the media bus; empty: REDIS_URL, or the private one. Disk persistence should be off",
        is_secret=True,
    )
    mediasoup_ws_url: str = setting(
        url_of("ws", "wss"),
        "ws://127.0.0.1:4000",
        "URL",
        "address of the SFU for the workers and the web process",
    )
    sfu_public_url: str = setting(
        url_of("http", "https", may_be_empty=True),
        "",
        "URL",
        "address of the SFU for browsers; empty: the host of the page with SFU_PORT",
    )
    sfu_port: int = setting(between(1, 65535), 4000, "port", "TCP port of the SFU's signalling, WHEP and control")
    sfu_secret: str = setting(
        text_of(16),
        "",
        "text",
        "secret shared by gateway, workers and SFU; at least 16 characters",
        is_secret=True,
    )
    secret_key: str = setting(
        text_of(16),
        "",
        "text",
        "root key for the encryption of camera credentials; at least 16 characters. Keep it with your backups",
        is_secret=True,
    )
    previous_secret_keys: tuple[str, ...] = setting(
        parse_keys,
        (),
        "list",
        "former values of SECRET_KEY, for decrypting data encrypted with them; they may contain commas",
        is_secret=True,
    )
    host: str = setting(text_of(1), "127.0.0.1", "address", "listening address of the web process")
    port: int = setting(between(1, 65535), 8000, "port", "TCP port of the web process")
    web_threads: int = setting(
        between(1, 256),
        16,
        "threads",
        "threads of a web process; a request occupies one only while its reply is computed",
    )
    web_connections: int = setting(
        between(16, 100_000),
        4096,
        "connections",
        "maximum number of open connections per web process; a further one replaces one without a request",
    )
    web_waiters: int = setting(
        between(1, 100_000),
        2000,
        "requests",
        "maximum number of requests per web process that wait for a part or a picture; further ones do not wait",
    )
    web_listeners: int = setting(
        between(1, 100_000),
        1000,
        "listeners",
        "maximum number of open streams of events per web process; a further one gets 503",
    )
    web_listeners_per_client: int = setting(
        between(1, 100_000),
        100,
        "listeners",
        "as above, from one address; clients behind a proxy that TRUSTED_PROXIES does not name share one",
    )
    web_read_seconds: float = setting(
        between(1, 600, float),
        20.0,
        "seconds",
        "time limit for a client to send the head of a request, and again for its body",
    )
    web_write_seconds: float = setting(
        between(1, 3600, float),
        30.0,
        "seconds",
        "a client that takes nothing of its reply for this time is disconnected",
    )
    web_idle_seconds: float = setting(
        between(1, 3600, float),
        75.0,
        "seconds",
        "a connection without a request for this time is closed; longer than a proxy keeps its own",
    )
    sendfile: str = setting(
        exact_one_of("off", "x-accel", "x-sendfile"),
        "off",
        "word",
        "who sends files: off, this process; x-accel, the proxy in front of it (nginx); x-sendfile (Apache, lighttpd)",
    )
    sendfile_prefix: str = setting(
        parse_uri_prefix,
        "/vas-files",
        "path",
        "internal location of the files in the proxy, for SENDFILE=x-accel",
    )
    trusted_hosts: tuple[str, ...] = setting(
        parse_hosts,
        (),
        "list",
        "host names under which the web process and the SFU may be reached; "
        "empty: IP addresses, localhost and this machine's own name; *: any",
    )
    trusted_proxies: tuple[str, ...] = setting(
        parse_networks,
        (),
        "list",
        "addresses or networks of reverse proxies whose X-Forwarded-For, -Proto and -Host are believed; empty: none",
    )
    allowed_origins: tuple[str, ...] = setting(
        parse_origins,
        (),
        "list",
        "further web origins whose pages may call the API, such as https://app.example.com",
    )
    stream_processes: int = setting(between(1, 64), 1, "processes", "number of stream workers that `make run` starts")
    stream_slots: int = setting(between(1, 512), 64, "devices", "maximum number of devices per stream worker")
    job_threads: int = setting(between(1, 64), 4, "threads", "maximum number of concurrent short jobs of a jobs worker")
    stall_seconds: float = setting(
        between(2, 300, float),
        10.0,
        "seconds",
        "a camera that sends no picture for this time is connected to again; for three times as long if it answers, "
        "and longer if its pictures come less often",
    )
    connect_timeout_seconds: float = setting(
        between(1, 60, float),
        5.0,
        "seconds",
        "time limit for a camera to answer on the network",
    )
    backoff_max_seconds: float = setting(
        between(1, 3600, float),
        60.0,
        "seconds",
        "maximum pause between two attempts to connect to a camera",
    )
    lease_seconds: float = setting(
        between(3, 120, float),
        6.0,
        "seconds",
        "a worker that does not renew its leases for this time loses its devices",
    )
    reconcile_seconds: float = setting(
        between(0.5, 60, float),
        2.0,
        "seconds",
        "interval at which the clock process compares desired and observed states",
    )
    event_days: int = setting(between(1, 3650), 90, "days", "retention of device events")
    part_seconds: float = setting(between(0.1, 5, float), 0.5, "seconds", "maximum length of a part on the media bus")
    bus_window_seconds: float = setting(
        between(2, 300, float),
        15.0,
        "seconds",
        "length of the media that the media bus holds per device",
    )
    bus_resend_seconds: float = setting(
        between(0, 300, float),
        2.0,
        "seconds",
        "length of the media that a stream worker keeps per device, to publish it again after the media bus lost it",
    )
    bus_max_bytes: int = setting(
        between(1 << 20, 1 << 30),
        32 << 20,
        "bytes",
        "maximum size of one device's media on the media bus",
    )
    record_processes: int = setting(between(1, 64), 1, "processes", "number of record workers that `make run` starts")
    record_slots: int = setting(between(1, 512), 64, "devices", "maximum number of devices per record worker")
    output_slots: int = setting(
        between(1, 512),
        64,
        "devices",
        "maximum number of devices per outputs worker, which runs plugins' outputs other than the recorder; a device "
        "counts once for each output",
    )
    output_memory_mb: int = setting(
        between(64, 1 << 20),
        2048,
        "MB",
        "memory of an outputs worker above which it ends, to be started again: a plugin's leak ends there",
    )
    plugins_off: tuple[str, ...] = setting(parse_list, (), "list", "names of plugins that are not loaded")
    recordings_dir: Path = setting(
        Path,
        Path("var/recordings"),
        "path",
        "folder for footage, preferably on its own disk; by default below VAR_DIR",
    )
    exports_dir: Path = setting(
        Path,
        Path("var/exports"),
        "path",
        "folder for exported files until they expire; by default below VAR_DIR",
    )
    recording_mode: str = setting(
        exact_one_of("off", "continuous", "scheduled", "event"),
        "continuous",
        "word",
        "recording mode of a new device",
    )
    time_zone: str = setting(parse_time_zone, "UTC", "IANA name", "time zone of a new device, such as Europe/Berlin")
    keep_days: int = setting(between(0, 36_500), 14, "days", "footage older than this is deleted; 0: no limit by age")
    keep_bytes: int = setting(
        between(0, 1 << 60),
        0,
        "bytes",
        "maximum size of the footage of all devices; 0: limited by the disk only",
    )
    tenant_keep_bytes: int = setting(
        between(0, 1 << 60),
        0,
        "bytes",
        "maximum size of the footage of one tenant; 0: no limit per tenant",
    )
    archive_keep_days: int = setting(
        between(0, 36_500),
        0,
        "days",
        "footage that is in an archive only is deleted when it is older than this; 0: no limit by age",
    )
    archive_cache_bytes: int = setting(
        between(0, 1 << 50),
        1 << 30,
        "bytes",
        "maximum size of the cache of archived footage that is read, below VAR_DIR; 0: no cache on disk",
    )
    archive_redirects: bool = setting(
        parse_bool,
        False,
        "1 or 0",
        "redirect downloads of whole archived segments to the archive itself, by URLs that are valid for ten minutes",
    )
    free_bytes_floor: int = setting(
        between(0, 1 << 60),
        0,
        "bytes",
        "free space to keep on the footage disk; 0: one hour of the present recording rate, at least 1 GiB",
    )
    retention_seconds: float = setting(
        between(1, 60, float),
        15.0,
        "seconds",
        "interval at which retention deletes footage",
    )
    export_keep_hours: float = setting(between(0.1, 8760, float), 24.0, "hours", "time until an exported file expires")
    exports_max_bytes: int = setting(
        between(1 << 20, 1 << 60),
        50 << 30,
        "bytes",
        "maximum total size of exported files",
    )
    captures_dir: Path = setting(
        Path,
        Path("var/captures"),
        "path",
        "folder for snapshots and clips; by default below VAR_DIR",
    )
    snapshot_threads: int = setting(
        between(1, 64),
        2,
        "threads",
        "maximum number of pictures that a snapshot worker decodes at the same time",
    )
    poster_seconds: float = setting(
        between(0.5, 300, float),
        5.0,
        "seconds",
        "maximum age of a device's poster before a new one is made",
    )
    max_clip_seconds: int = setting(between(10, 3600), 600, "seconds", "maximum length of a bookmark's clip")
    undo_minutes: float = setting(
        between(1, 10_080, float),
        30.0,
        "minutes",
        "time during which a deleted snapshot or bookmark can be restored",
    )
    bin_hours: float = setting(
        between(0.1, 720, float),
        24.0,
        "hours",
        "time during which a deleted device can be restored with its footage; its footage is deleted afterwards",
    )
    max_export_seconds: int = setting(
        between(60, 31 * 86_400), 86_400, "seconds", "maximum length of an export's time range"
    )
    viewer_token_seconds: int = setting(
        between(5, 3600),
        60,
        "seconds",
        "time during which a viewer token can be used to connect",
    )
    allow_loopback_sources: bool = setting(
        parse_bool,
        False,
        "1 or 0",
        "whether camera addresses on this machine are allowed",
    )
    allowed_source_networks: tuple[str, ...] = setting(
        parse_networks,
        (),
        "list",
        "networks to which camera addresses are restricted; empty: any but link-local",
    )
    max_body_bytes: int = setting(between(1024, 1 << 30), 1 << 20, "bytes", "maximum size of a request body")
    ffmpeg_bin: str = setting(text_of(1), "ffmpeg", "path", "the ffmpeg program")
    ffmpeg_sandbox: str = setting(
        exact_one_of("auto", "off", "required"),
        "auto",
        "word",
        "confine the programs that read bytes of cameras: auto (where the kernel has Landlock), required or off",
    )
    ffmpeg_folders: tuple[str, ...] = setting(
        parse_list, (), "list", "folders that FFmpeg may read and write; needed by outputs of plugins that write files"
    )
    ffmpeg_variables: tuple[str, ...] = setting(
        parse_list, (), "list", "further environment variables that FFmpeg gets, such as those of a hardware driver"
    )
    ffprobe_bin: str = setting(text_of(1), "ffprobe", "path", "the ffprobe program")
    var_dir: Path = setting(Path, Path("var"), "path", "folder for the database, secrets and logs of one machine")
    ui_dir: Path = setting(Path, Path("ui/dist"), "path", "folder of the built UI")
    log_level: str = setting(one_of(*LOG_LEVELS), "INFO", "word", f"one of {', '.join(LOG_LEVELS)}")

    @property
    def bus_redis_url(self) -> str:
        """URL of the Redis that holds the media bus."""
        return self.media_redis_url or self.redis_url

    @property
    def sfu_http_url(self) -> str:
        """HTTP address of the SFU for the workers and the web process."""
        return "http" + self.mediasoup_ws_url.removeprefix("ws")

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> "Config":
        """Read every setting; raises ConfigError that lists every invalid one.

        Without `environ`, reads the file `.env` in the working folder and the process environment, which takes
        precedence. Secrets that are not set are generated once and stored in `VAR_DIR/secrets/`, readable by the owner
        only.
        """
        if environ is None:
            from dotenv import load_dotenv

            load_dotenv(Path.cwd() / ".env")
            environ = os.environ
        values: dict[str, Any] = {}
        wrong: list[str] = []
        for item in fields(cls):
            name = item.name.upper()
            text = environ.get(name)
            if text is None or (text == "" and item.default not in ("", ())):
                continue
            if text == "" and item.name in SECRET_FILES:
                continue
            try:
                values[item.name] = item.metadata["parse"](text)
            except ValueError as error:
                wrong.append(f"'{name}' {error}")
        if wrong:
            raise ConfigError("; ".join(wrong))
        for name in ("recordings_dir", "exports_dir", "captures_dir"):
            if name not in values and "var_dir" in values:
                values[name] = values["var_dir"] / name.removesuffix("_dir")
        var_dir = Path(values.get("var_dir", "var"))
        if not values.get("redis_url"):
            values["redis_url"] = private_redis.socket_url(var_dir, private_redis.QUEUES)
            values["media_redis_url"] = values.get("media_redis_url") or private_redis.socket_url(
                var_dir, private_redis.MEDIA
            )
        key_file = var_dir / "secrets" / "secret_key"
        if "secret_key" not in values and not key_file.exists():
            check_that_nothing_is_sealed(values.get("database_url", _DEFAULT_DATABASE), key_file)
        for name in SECRET_FILES:
            if name not in values:
                values[name] = read_or_make_secret(var_dir / "secrets" / name)
        return cls(**values)


#: Settings that are generated and stored in a file if the environment does not set them.
SECRET_FILES = ("secret_key", "sfu_secret")


@dataclass(frozen=True, slots=True)
class SettingDescription:
    """One row of the settings table."""

    name: str
    default: str
    unit: str
    about: str


def describe_settings() -> list[SettingDescription]:
    """All settings in declaration order."""

    def format_default(default: Any) -> str:
        if default is MISSING or default in ("", ()):
            return ""
        if isinstance(default, bool):
            return str(int(default))
        return f"{default:g}" if isinstance(default, float) else str(default)

    return [
        SettingDescription(
            item.name.upper(), format_default(item.default), item.metadata["unit"], item.metadata["about"]
        )
        for item in fields(Config)
    ]
