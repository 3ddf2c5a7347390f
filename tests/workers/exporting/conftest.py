"""A device with footage, and exports of it that run in the test's thread."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

import pytest

from gateway.config import Config
from gateway.jobs.model import Job, create_job, find_job
from gateway.tenancy.scopes import TenantScope
from tests.factories import make_device
from tests.playback import FootageFactory
from workers.exporting.exports import EXPORT, run_export
from workers.job_runner import JobRunner


@pytest.fixture
def config(config: Config, tmp_path: Path) -> Config:
    """Settings with footage and exports in the test's folder."""
    return replace(config, recordings_dir=tmp_path / "recordings", exports_dir=tmp_path / "exports")


@pytest.fixture
def footage(bound_database, config: Config, scope: TenantScope, box) -> FootageFactory:
    return FootageFactory(config, scope, make_device(scope, box).id)


@dataclass
class Exporter:
    """Makes export jobs and runs them in this thread."""

    config: Config
    scope: TenantScope
    device_id: str
    kinds: dict[str, Any] = field(default_factory=lambda: {EXPORT: run_export})

    def ask(self, start_ms: int, end_ms: int, cut: str = "key_frames", name: str = "movie.mp4") -> Job:
        """A queued job."""
        parameters = {"start_ms": start_ms, "end_ms": end_ms, "cut": cut, "name": name, "bytes": 1}
        return create_job(self.scope, EXPORT, parameters, device_id=self.device_id)[0]

    def run(self, job_id: str) -> Job:
        """The job after it was run."""
        JobRunner(self.config, "test:1", self.kinds, BoundedSemaphore(1)).run(job_id)
        return find_job(self.scope, job_id)

    def export(self, start_ms: int, end_ms: int, cut: str = "key_frames") -> Job:
        return self.run(self.ask(start_ms, end_ms, cut).id)


@pytest.fixture
def exporter(config: Config, scope: TenantScope, footage: FootageFactory) -> Exporter:
    return Exporter(config, scope, footage.device_id)


@pytest.fixture
def movie_of(config: Config) -> Callable[[Job], Path]:
    """The file of a job that is done."""
    import json

    def find(job: Job) -> Path:
        assert job.state == "done", (job.state, job.error_code, job.error_message)
        return config.exports_dir / json.loads(job.result)["file"]

    return find
