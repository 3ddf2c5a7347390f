"""The plugins worker as a process, with the trial plugin installed."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from gateway import database
from gateway.config import Config
from gateway.plugin_work.migrating import migrate_plugins
from gateway.plugin_work.registrations import read_registered
from tests.contracts.repository import ROOT
from tests.factories import SECRET_KEY, SFU_SECRET, no_plugins
from tests.workers.plugins import trial_plugin

PLUGIN = "trial"


class Trial:
    """A product with the trial plugin: its folder, and plugins workers that a test starts."""

    def __init__(self, config: Config, site: Path) -> None:
        self.config = config
        self.folder = config.var_dir / "plugins" / PLUGIN
        self.folder.mkdir(parents=True)
        self.log = site / "log"
        self._site = site
        self._workers: list[subprocess.Popen] = []
        package = site / "trial_plugin-1.0.dist-info"
        package.mkdir(parents=True)
        (package / "METADATA").write_text("Metadata-Version: 2.1\nName: trial-plugin\nVersion: 1.0\n")
        (package / "entry_points.txt").write_text(f"[gateway.plugins]\n{PLUGIN} = {trial_plugin.__name__}\n")

    def does(self, name: str, what: str) -> None:
        """Tell the service or schedule what it does from its next start on."""
        (self.folder / f"{name}.does").write_text(what)

    def noted(self, name: str) -> list[int]:
        """The processes that have noted something, in order."""
        file = self.folder / name
        return [int(line) for line in file.read_text().split()] if file.exists() else []

    def start(self, *names: str) -> subprocess.Popen:
        """Start a plugins worker."""
        config = self.config
        environment = {
            **os.environ,
            "PYTHONPATH": f"{self._site}{os.pathsep}{ROOT}",
            "VAR_DIR": str(config.var_dir),
            "DATABASE_URL": config.database_url,
            "REDIS_URL": config.redis_url,
            "SECRET_KEY": SECRET_KEY,
            "SFU_SECRET": SFU_SECRET,
            # Each process would import them, which takes longer than its work.
            "PLUGINS_OFF": ",".join(entry_point.name for entry_point in entry_points(group="gateway.plugins")),
        }
        with open(self.log, "ab") as log:
            worker = subprocess.Popen(
                [sys.executable, "-m", "workers", "plugins", *names], cwd=ROOT, env=environment, stderr=log
            )
        self._workers.append(worker)
        return worker

    def close(self) -> None:
        for worker in self._workers:
            worker.kill()
            worker.wait(10)
        # Shown by pytest if the test fails.
        for worker in self._workers:
            print(f"plugins worker {worker.pid} ended with {worker.returncode}")
        if self.log.exists():
            print(self.log.read_text(errors="replace"))


def registered_trial():
    """What the trial plugin registers."""
    manager = no_plugins()
    manager.register(trial_plugin, name=PLUGIN)
    return read_registered(manager)


@pytest.fixture
def trial(config: Config, tmp_path: Path) -> Iterator[Trial]:
    database.connect(config)
    (report,) = migrate_plugins(registered_trial())
    assert report.failed is None
    trial = Trial(config, tmp_path / "site")
    yield trial
    trial.close()
    database.close()


@pytest.fixture
def log_of(trial: Trial) -> Callable[[], str]:
    return lambda: trial.log.read_text() if trial.log.exists() else ""
