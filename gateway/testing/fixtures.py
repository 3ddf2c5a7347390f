"""The fixtures for tests of plugins, described in docs/plugins/testing.md."""

import secrets
import shutil
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gateway.config import Config
from gateway.testing.checkout import missing_of_cameras, missing_programs
from gateway.testing.under_test import GivenPlugin, find_entry_point, find_project, folders_of

if TYPE_CHECKING:
    from gateway.testing.product import Product
    from gateway.testing.trial import PluginTrial


@pytest.fixture(scope="module")
def plugin_under_test() -> Any:
    """The plugin that the other fixtures load: that of the nearest `pyproject.toml`. Override it to choose another one.

    Return a name, if the project has several plugins, an EntryPoint, or for `plugin_trial` a pair
    `("name", module_or_object)`.
    """
    return None


@pytest.fixture(scope="module")
def product_settings() -> dict[str, Any]:
    """The settings of `running_product` by their names in lower case, such as `{"recording_mode": "continuous"}`.

    Override it to set some; `plugins` is a list of folders of projects whose plugins are installed too.
    """
    return {}


@pytest.fixture(scope="session")
def migrated_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the tables of VAS, of which each trial gets a copy."""
    from gateway import database, migrations

    path = tmp_path_factory.mktemp("vas") / "vas.db"
    database.connect(make_settings(path.parent, path))
    migrations.migrate()
    database.close()
    return path


@pytest.fixture
def plugin_trial(
    request: pytest.FixtureRequest, plugin_under_test: Any, migrated_database: Path, tmp_path: Path
) -> Iterator["PluginTrial"]:
    """The plugin under test in a product without processes: set options, feed video, report facts, run its work.

    Everything is real but the workers: database (SQLite), options, events, jobs, routes, video. Needs no program.
    """
    from gateway.testing.trial import PluginTrial

    if isinstance(plugin_under_test, tuple) and not isinstance(plugin_under_test, EntryPoint):
        entry_point = GivenPlugin(*plugin_under_test)
    else:
        entry_point = _find_plugin(Path(request.path), plugin_under_test)
    path = tmp_path / "trial.db"
    shutil.copy(migrated_database, path)
    trial = PluginTrial(entry_point, make_settings(tmp_path, path))
    yield trial
    trial.close()


@pytest.fixture(scope="session")
def demo_camera() -> Iterator[str]:
    """The URL of a real RTSP camera on this machine: 640x360, 15 fps, H.264, a key frame each second.

    Skips the test where the camera server cannot run, and says why.
    """
    from gateway.testing.camera_server import CameraServer

    _skip_without(missing_of_cameras())
    with CameraServer() as server:
        yield server.add("/demo", width=640, height=360, fps=15, bitrate_kbps=600, key_frame_seconds=1)


@pytest.fixture(scope="module")
def running_product(
    request: pytest.FixtureRequest, plugin_under_test: Any, product_settings: dict[str, Any]
) -> Iterator["Product"]:
    """The whole product on free ports with the plugin under test installed: all processes, Redis, FFmpeg, the SFU.

    One for all tests of a file; it starts in about ten seconds. Skips where a program is missing, and says which.
    """
    from gateway.testing.product import Product

    _skip_without(missing_programs())
    settings = dict(product_settings)
    folders = settings.pop("plugins", ())
    product = Product(**settings)
    own = [] if isinstance(plugin_under_test, EntryPoint) else folders_of(find_project(Path(request.path)))
    product.install(_find_plugin(Path(request.path), plugin_under_test), *own)
    for folder in folders:
        product.install(find_entry_point(Path(folder)), *folders_of(Path(folder)))
    with product:
        yield product


def _find_plugin(start: Path, chosen: str | EntryPoint | None) -> EntryPoint:
    return chosen if isinstance(chosen, EntryPoint) else find_entry_point(start, chosen)


def make_settings(folder: Path, path: Path) -> Config:
    """The settings of a trial whose database is the SQLite file `path`."""
    return Config(
        database_url=f"sqlite:///{path}",
        # Nobody listens there: a trial has no Redis, and what is only a hint is not sent.
        redis_url="redis://127.0.0.1:1/0",
        secret_key=secrets.token_hex(16),
        sfu_secret=secrets.token_hex(16),
        var_dir=folder / "var",
        recordings_dir=folder / "recordings",
        exports_dir=folder / "exports",
        captures_dir=folder / "captures",
        recording_mode="off",
        plugins_off=(),
    )


def _skip_without(missing: list[str]) -> None:
    if missing:
        pytest.skip("; ".join(missing))
