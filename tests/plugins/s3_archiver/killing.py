"""Kills the uploading process and the storage in the middle of uploads, and compares every byte afterwards.

`python -m tests.plugins.s3_archiver.killing 20 20` kills each twenty times; the test does so less often.
"""

import contextlib
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway import database, migrations
from gateway.footage.copies import SegmentCopy
from gateway.tenancy.scopes import TenantScope
from gateway.tenancy.tenants import DEFAULT_TENANT_ID
from plugins.s3_archiver.outbox import Item
from plugins.s3_archiver.settings import SEGMENTS, BucketSettings, UploadSettings
from tests.contracts.repository import ROOT
from tests.factories import make_config
from tests.footage import MINUTE_MS, NOON_MS
from tests.plugins.s3_archiver.uploading import write_settings
from tests.plugins.s3_archiver.world import World, make_world
from tests.stack.object_store import ACCESS_KEY, REGION, SECRET_KEY, S3Server

_MEGABYTE = 1_000_000


def bucket_settings(server: S3Server, **values) -> BucketSettings:
    """How the server's bucket is reached."""
    defaults = {"bucket": server.bucket, "endpoint": server.url, "region": REGION, "prefix": "site/one"}
    keys = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY, "allow_http": True}
    return BucketSettings(**(defaults | keys | values))


#: Slow enough to be killed in the middle.
SLOW = UploadSettings(bytes_per_second=8 * _MEGABYTE)


@dataclass
class Archiving:
    """An uploading process that a test kills and starts again."""

    world: World
    server: S3Server
    folder: Path
    uploads: UploadSettings = SLOW
    bucket: BucketSettings | None = None
    deaths: int = 0
    _process: subprocess.Popen | None = field(default=None, repr=False)

    def start(self) -> None:
        bucket = self.bucket or bucket_settings(self.server)
        settings = write_settings(
            self.folder / "uploading.json",
            config=self.world.config,
            bucket=bucket,
            uploads=self.uploads,
            device_ids=[self.world.device_id],
        )
        command = [sys.executable, "-m", "tests.plugins.s3_archiver.uploading", str(settings)]
        with (self.folder / "uploading.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=log, stderr=log
            )

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.wait(10)
        self.deaths += 1

    def retry_now(self) -> None:
        """Let it end its pauses."""
        self._process.send_signal(signal.SIGUSR1)

    def stop(self) -> float:
        """SIGTERM; returns the seconds until its end."""
        if self._process is None:
            return 0.0
        began = time.monotonic()
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        finally:
            self._process = None
        return time.monotonic() - began

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def status(self) -> dict[str, Any]:
        """The state that the process published last; empty before the first."""
        try:
            return json.loads((self.folder / "uploading.status").read_text())
        except (FileNotFoundError, ValueError):
            return {}

    def state(self) -> str | None:
        return self.status().get("state")

    def waiting(self) -> list[Item]:
        """What has no verified copy, by the rows."""
        return self.world.outbox().pending([], limit=10_000)

    def wait_drained(self, seconds: float) -> None:
        """Wait until nothing waits."""
        deadline = time.monotonic() + seconds
        while self.waiting():
            assert self.is_alive(), (self.folder / "uploading.log").read_text()[-3000:]
            assert time.monotonic() < deadline, f"{len(self.waiting())} still wait after {seconds:g} s"
            time.sleep(0.1)


def add_objects(world: World, segments: int, *, seed: int = 1, first: int = 0) -> dict[str, str]:
    """Segments of 0.1 to 14 MB, and some of the other kinds; returns SHA-256 by key of the object."""
    dice = random.Random(seed)
    for number in range(first, first + segments):
        data = dice.randbytes(dice.choice([100_000, 900_000, 4_000_000, 9_000_000, 14_000_000]))
        start_ms = NOON_MS + number * MINUTE_MS
        world.footage.add(start_ms, sequence=1 + 200 * number, data=data, size=len(data))
    for _ in range(3):
        world.add_snapshot(dice.randbytes(200_000))
        world.add_clip(dice.randbytes(6_000_000))
    world.add_export(dice.randbytes(20_000_000))
    expected = {}
    for kind in (SEGMENTS, "snapshots", "clips", "exports"):
        for item in world.outbox(kind).pending([], limit=10_000):
            expected[item.key] = hashlib.sha256(item.path.read_bytes()).hexdigest()
    return expected


def kill_often(archiving: Archiving, *, processes: int, servers: int, seed: int = 1) -> None:
    """Kill the uploading process and the storage this often, in a random order, while much still waits."""
    dice = random.Random(seed)
    victims = ["process"] * processes + ["server"] * servers
    dice.shuffle(victims)
    archiving.start()
    for victim in victims:
        time.sleep(dice.uniform(0.7, 1.5))
        if victim == "process":
            archiving.kill()
            archiving.start()
        else:
            archiving.server.kill()
            time.sleep(dice.uniform(0.0, 0.5))
            archiving.server.start()
    assert archiving.is_alive()


def check_bucket(archiving: Archiving, expected: dict[str, str]) -> None:
    """That the bucket has every object with its bytes, each once, nothing else, and no left-over parts."""
    server, prefix = archiving.server, "site/one/"
    keys = server.keys()
    assert sorted(keys) == sorted(prefix + key for key in expected)
    for key, checksum in expected.items():
        assert hashlib.sha256(server.read(prefix + key)).hexdigest() == checksum, key
    with database.session():
        copies = {row.object_key: row.checksum for row in SegmentCopy.select()}
    rows = {row.object_key: row.checksum for row in archiving.world.rows()}
    assert copies | rows == {key: f"sha256:{checksum}" for key, checksum in expected.items()}
    assert len(copies) + len(rows) == len(expected)


@contextlib.contextmanager
def made_world(folder: Path) -> Iterator[World]:
    """A product on SQLite in a folder."""
    names = {"recordings_dir": "recordings", "exports_dir": "exports", "captures_dir": "captures"}
    config = make_config(
        database_url=f"sqlite:///{folder / 'vas.db'}",
        var_dir=folder,
        **{name: folder / path for name, path in names.items()},
    )
    database.connect(config)
    migrations.migrate()
    try:
        yield make_world(config, TenantScope(DEFAULT_TENANT_ID))
    finally:
        database.close()


def main(processes: int, servers: int) -> None:
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name, made_world(Path(name)) as world:
        server = S3Server(Path(name) / "s3").create()
        archiving = Archiving(world, server, Path(name))
        try:
            expected = add_objects(world, 4 * (processes + servers))
            print(f"{len(expected)} objects, {sum(item.size for item in archiving.waiting()) / 1e6:.0f} MB first")
            kill_often(archiving, processes=processes, servers=servers)
            print(f"{archiving.deaths} + {servers} kills after {time.monotonic() - began:.0f} s")
            print(f"waiting: {len(archiving.waiting())}; left-over uploads: {len(server.uploads())}")
            archiving.kill()
            archiving.uploads = UploadSettings(concurrency=4)
            archiving.start()
            archiving.wait_drained(300)
            archiving.stop()
            check_bucket(archiving, expected)
            print(f"all {len(expected)} objects are there once, with equal checksums; uploads left: {server.uploads()}")
        finally:
            if archiving.is_alive():
                archiving.kill()
            server.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
