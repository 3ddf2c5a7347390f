"""Stack: the whole product for our own suites, which may break each part of it, with SQLite or PostgreSQL."""

import os
import signal
from typing import Any

import requests

from gateway.testing import procfs
from gateway.testing.checkout import ROOT, find_worker_bin
from gateway.testing.product import Product, ProductError, read_procfile

from .pipelines import ffmpeg_pids
from .services import Postgres, Redis

__all__ = ["ROOT", "Stack", "StackError", "find_worker_bin", "read_procfile"]

StackError = ProductError


class Stack(Product):
    """The running product. `database` is "sqlite" or "postgresql"; other arguments are settings, as for Product."""

    redis: Redis

    def __init__(self, database: str = "sqlite", **settings: Any) -> None:
        self._kind = database
        self.postgres: Postgres | None = None
        super().__init__(**settings)
        assert self.env["MEDIASOUP_WORKER_BIN"], "mediasoup's worker program is missing: run 'make setup'"

    def __enter__(self) -> "Stack":
        super().__enter__()
        return self

    def pids(self, name: str) -> list[int]:
        """The ids of the process and all its descendants; for `mediasoup` the mediasoup Workers."""
        if name == "mediasoup":
            return [pid for pid in self.pids("sfu") if "mediasoup-worker" in " ".join(procfs.command(pid)[:1])]
        head = self.process(name).pid
        return [] if head is None else [head, *procfs.descendants(head)]

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Signal the leader of a process group; returns its id."""
        pid = self.running_pid(name)
        os.kill(pid, number)
        return pid

    def stop(self, name: str, seconds: float = 30) -> float:
        """Send SIGTERM, without a restart until `resume`; returns the seconds until the end."""
        return self._keeper.stop(name, seconds=seconds)

    def resume(self, name: str) -> None:
        """Start a process that `stop` stopped."""
        self._keeper.resume(name)

    def start_extra(self, name: str, **settings: Any) -> str:
        """Start another process of a kind, such as a second stream worker; returns its name."""
        number = 2
        while f"{name}.{number}" in self._keeper.names:
            number += 1
        self._start(f"{name}.{number}", name, settings)
        return f"{name}.{number}"

    def ffmpeg_pids(self, device_id: str) -> list[int]:
        """The FFmpeg processes of a device, found by the mark in their environment."""
        return ffmpeg_pids(device_id)

    def delete_device(self, device_id: str) -> None:
        """DELETE a device for good and wait until its FFmpeg has ended."""
        self.api.delete(f"/devices/{device_id}")
        self.api.delete(f"/devices/deleted/{device_id}")
        self.wait_until(lambda: not self.ffmpeg_pids(device_id), 15, f"no FFmpeg is left of device {device_id}")

    def sfu_status(self) -> dict[str, Any]:
        """The status that the SFU reports on its control interface: workers, rooms, transports and so on."""
        from plugins.mediasoup_webrtc.tokens import control_key

        key = control_key(self.env["SFU_SECRET"])
        answer = requests.get(f"{self.sfu_url}/control/status", headers={"Authorization": f"Bearer {key}"}, timeout=5)
        answer.raise_for_status()
        return answer.json()

    def _build_redis(self) -> Redis:
        if self._kind == "postgresql":
            self.postgres = Postgres(self.folder / "postgres")
        return Redis(self.folder / "redis")

    def _database_url(self) -> str:
        return self.postgres.url("vas") if self.postgres else super()._database_url()

    def _start_database(self) -> None:
        if self.postgres is not None:
            self.postgres.create()

    def _stop_database(self) -> None:
        if self.postgres is not None and self.postgres.folder.exists():
            self.postgres.stop()
