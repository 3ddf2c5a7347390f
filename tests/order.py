"""The longest test files begin first: at the end of a run, no worker then waits for one long file of another.

pytest-xdist hands out whole files in the order of collection (`--no-loadscope-reorder`).
"""

import os
from collections import Counter, defaultdict

import pytest

#: Seconds of a test of a file that is not listed here, roughly.
_TEST_SECONDS = 0.15

#: Seconds of files that are much longer than their number of tests says: see "longest files" at the end of a run.
FILE_SECONDS = {
    "tests/e2e/test_access.py": 70,
    "tests/e2e/test_analysis.py": 37,
    "tests/e2e/test_browser.py": 18,
    "tests/e2e/test_captures.py": 19,
    "tests/e2e/test_codecs.py": 23,
    "tests/e2e/test_http_cameras.py": 26,
    "tests/e2e/test_live_updates.py": 14,
    "tests/e2e/test_losses.py": 45,
    "tests/e2e/test_native_hls.py": 44,
    "tests/e2e/test_on_demand.py": 22,
    "tests/e2e/test_other_sites.py": 20,
    "tests/e2e/test_page_weight.py": 40,
    "tests/e2e/test_pages.py": 13,
    "tests/e2e/test_playback.py": 57,
    "tests/faults/test_captures.py": 33,
    "tests/faults/test_changing_cameras.py": 17,
    "tests/faults/test_deleted_devices.py": 90,
    "tests/faults/test_killed_processes.py": 19,
    "tests/faults/test_misbehaving_cameras.py": 110,
    "tests/faults/test_ownership.py": 20,
    "tests/faults/test_plugin_isolation.py": 58,
    "tests/faults/test_recording_machine.py": 62,
    "tests/faults/test_recording_processes.py": 38,
    "tests/faults/test_recording_truncation.py": 10,
    "tests/faults/test_recording_truth.py": 51,
    "tests/faults/test_restart.py": 46,
    "tests/faults/test_several_workers.py": 20,
    "tests/faults/test_stalls.py": 47,
    "tests/faults/test_start_up.py": 30,
    "tests/faults/test_stores.py": 17,
    "tests/faults/test_viewer_network.py": 75,
    "tests/frames/test_frame_exactness.py": 86,
    "tests/gateway/api/jobs/test_routes.py": 18,
    "tests/gateway/api/plugins/test_work.py": 18,
    "tests/gateway/api/test_outages.py": 19,
    "tests/gateway/storage/test_clock_trust.py": 31,
    "tests/gateway/web/test_event_stream.py": 24,
    "tests/integration/test_live.py": 35,
    "tests/plugins/notifications/test_kills.py": 18,
    "tests/plugins/s3_archiver/test_storage.py": 32,
    "tests/workers/exporting/test_workers.py": 18,
    "tests/workers/ingest/test_camera_clocks.py": 48,
    "tests/workers/ingest/test_camera_pictures.py": 40,
    "tests/workers/ingest/test_camera_rubbish.py": 73,
    "tests/workers/ingest/test_camera_sound.py": 22,
    "tests/workers/outputs/test_consumer.py": 11,
    "tests/workers/plugins/test_plugins_worker.py": 66,
    "tests/workers/storage/test_full_disk.py": 20,
    "tests/workers/streams/test_turns.py": 11,
    "tests/workers/test_two_owners.py": 20,
}

_SHOWN = 15
_SHOWN_SECONDS = 10.0


def sort_longest_first(items: list[pytest.Item]) -> None:
    """Sort the tests of a run by the seconds of their files, the longest first; files stay together."""
    files = [item.nodeid.partition("::")[0] for item in items]
    counts = Counter(files)
    weights = {file: FILE_SECONDS.get(file, count * _TEST_SECONDS) for file, count in counts.items()}
    order = sorted(range(len(items)), key=lambda place: -weights[files[place]])
    places = {file: place for place, file in enumerate(dict.fromkeys(files[place] for place in order))}
    items[:] = [items[place] for place in sorted(order, key=lambda place: places[files[place]])]


class LongestFiles:
    """A pytest plugin: sorts the tests of a worker of pytest-xdist, and prints the longest files of a run."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if "PYTEST_XDIST_WORKER" in os.environ:
            sort_longest_first(items)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid.partition("::")[0]] += report.duration

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        longest = sorted(self.seconds.items(), key=lambda item: -item[1])[:_SHOWN]
        if longest and longest[0][1] >= _SHOWN_SECONDS and len(self.seconds) > 1:
            total = sum(self.seconds.values())
            terminalreporter.section(f"longest files, of {total:.0f} s in all")
            for file, seconds in longest:
                terminalreporter.write_line(f"{seconds:5.0f} s {file}")
