"""Our plugins import what any plugin may import; what they need beyond it is listed here by name."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contracts.repository import ROOT, python_files, relative

#: All that a plugin may import of VAS.
PUBLIC = {"gateway.plugin_api", "gateway.plugin_api.web"}

#: Modules that a plugin of ours needs beyond it, with what for. A shorter list is better: what strangers need as well
#: belongs in gateway/plugin_api.
DEEP = {
    "ai_analytics": {
        "gateway.captures.bookmark_changes": "bookmarks by rule",
        "gateway.captures.bookmarks": "bookmarks by rule",
        "gateway.captures.queue": "best pictures of incidents",
        "gateway.database": "its detectors' own processes",
        "gateway.devices.sources": "the address policy for services that it asks",
        "gateway.events.bell": "boxes of pictures that pass",
        "gateway.footage.recordings": "recording by rule",
        "gateway.inventory": "devices in its routes",
        "gateway.mp4.boxes": "single key frames of parts",
        "gateway.mp4.descriptors": "single key frames of parts",
        "gateway.mp4.samples": "single key frames of parts",
        "gateway.plugin_loading": "its detectors' own processes",
        "gateway.redis_values": "figures of other processes",
        "gateway.streams.bus": "pictures of the sub-stream at once",
    },
    # The recorder writes the index of footage itself.
    "hls_recorder": {
        "gateway.footage.gap_rows": "the index of footage",
        "gateway.footage.recorder_pulse": "its signs of life",
        "gateway.footage.recorder_state": "what is wanted when",
        "gateway.footage.recorder_status": "its health",
        "gateway.footage.recordings": "what is wanted when",
        "gateway.footage.segments": "the index of footage",
        "gateway.media": "the index of footage",
        "gateway.redis_values": "figures of other processes",
        "gateway.schedules.recording_plan": "what is wanted when",
        "gateway.storage.file_repair": "files that a crash left open",
        "gateway.storage.interface": "files of footage",
        "gateway.storage.local": "files of footage",
        "gateway.storage.room_requests": "room on a full disk",
        "gateway.tenancy.scopes": "the index of footage",
    },
    "notifications": {
        "gateway.captures.files": "pictures of messages",
        "gateway.captures.queue": "pictures of messages",
        "gateway.captures.snapshot_lists": "pictures of messages",
        "gateway.devices.model": "devices and tags of rules",
        "gateway.devices.sources": "the address policy for webhooks",
        "gateway.footage.recordings": "the switch of recording in Home Assistant",
        "gateway.schedules.local_days": "quiet hours",
        "gateway.schedules.recording_plan": "quiet hours, and the switch of recording in Home Assistant",
        "gateway.streams.model": "states in Home Assistant",
        "gateway.tags": "tags of rules",
    },
    "s3_archiver": {
        "gateway.captures.bookmarks": "clips",
        "gateway.captures.files": "snapshots and clips",
        "gateway.captures.snapshots": "snapshots",
        "gateway.devices.model": "which devices are archived",
        "gateway.footage.recordings": "which devices are archived",
        "gateway.jobs.files": "exports",
        "gateway.jobs.model": "exports",
        "gateway.redis_values": "figures of other processes",
        "gateway.storage.local": "files of footage",
    },
}

PLUGINS = sorted(path.parent.name for path in (ROOT / "plugins").glob("*/__init__.py"))


def imports_of(path: Path) -> set[str]:
    """The modules of the gateway that a file imports, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            # `from gateway import database` is an import of a module.
            is_room = node.module == "gateway"
            found |= {f"gateway.{alias.name}" for alias in node.names} if is_room else {node.module}
    return {name for name in found if name.partition(".")[0] == "gateway"}


def files_of(plugin: str) -> list[Path]:
    return [path for path in python_files("plugins") if relative(path).startswith(f"plugins/{plugin}/")]


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_plugin_of_ours_imports_what_strangers_may_import_or_is_listed(plugin: str):
    beyond = {name: relative(path) for path in files_of(plugin) for name in imports_of(path) - PUBLIC}
    unlisted = {name: place for name, place in beyond.items() if name not in DEEP.get(plugin, {})}
    assert unlisted == {}, "import it from gateway.plugin_api, or list it in DEEP with what it is for"
    assert set(DEEP.get(plugin, {})) - set(beyond) == set(), "no longer needed: remove it from DEEP"


def test_only_plugins_that_exist_are_listed():
    assert set(DEEP) <= set(PLUGINS)


@pytest.mark.parametrize("plugin", PLUGINS)
def test_flask_comes_with_the_routes_only(plugin: str):
    """A web framework costs every process that loads the plugin 20 MB: other modules import it inside a function."""
    program = f"import sys, plugins.{plugin}; print('flask' in sys.modules)"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "False", done.stderr
