"""A stranger's plugin fails in the worst ways: neither its own camera nor another loses live video or recording.

The whole table, every fault in every hook, is `python -m bench --only isolation`.
"""

import signal
from collections.abc import Iterator

import pytest

from tests.stranger.isolation import Lost, Trial, drop_out, open_trial

#: Less than any restart of a process costs; more than a busy machine does.
NOTHING = Lost(live=4.0, recorded=1.0)


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    with open_trial(tmp_path_factory.mktemp("stranger")) as trial:
        yield trial


def assert_nothing_lost(*cameras: Lost) -> None:
    for lost in cameras:
        assert lost.live < NOTHING.live
        assert lost.recorded < NOTHING.recorded


def test_an_output_that_crashes_its_process_is_set_aside_and_nothing_is_lost(trial):
    assert_nothing_lost(*trial.measure("take", "segfault", 12, until="set_aside"))
    assert "the last in 'take' (outputs)" in trial.plugin()["reason"]
    assert trial.outputs()["hls_recorder"]["state"] == "running"


def test_an_output_that_blocks_where_packets_come_is_named_and_nothing_is_lost(trial):
    assert_nothing_lost(*trial.measure("packets", "block", 8))
    assert trial.outputs()["mediasoup_webrtc"]["state"] == "running"


def test_a_hook_that_crashes_at_each_change_of_a_stream_costs_no_stream(trial):
    stream = trial.stack.running_pid("stream")
    assert_nothing_lost(*trial.measure("on_stream_state", "segfault", 7, drop_out))
    assert trial.stack.running_pid("stream") == stream
    trial.stranger.order("on_stream_state", "segfault")

    def is_named() -> bool:
        # The process of the hooks may not have run yet: it starts again after a pause that grows.
        drop_out(trial)
        return bool(trial.plugin()["problems"])

    trial.stack.wait_until(is_named, 60, "the plugin is named")
    trial.stranger.calm()


def test_a_plugin_that_exits_the_process_of_the_streams_does_not(trial):
    stream = trial.stack.running_pid("stream")
    assert_nothing_lost(*trial.measure("check", "os_exit", 6))
    assert trial.stack.running_pid("stream") == stream


def test_the_clock_starts_streams_while_a_plugin_does_not_say_what_it_wants(trial):
    trial.await_calm()
    run = trial.stack.stream(trial.other.device_id)["run"]
    trial.stranger.order("wanted", "block")
    trial.stack.kill("stream", signal.SIGKILL)

    def is_back() -> bool:
        stream = trial.stack.stream(trial.other.device_id)
        return stream["run"] > run and stream["observed"] == "running"

    trial.stack.wait_until(is_back, 30, "the stream has another owner")
    trial.stranger.calm()


def test_a_plugin_that_cannot_be_loaded_any_more_keeps_nothing_from_starting(trial):
    trial.stranger.order("load", "raise")
    for name in ("web", "record"):
        trial.stack.kill(name, signal.SIGKILL)
    trial.stack.wait_until(lambda: trial.plugin()["state"] == "failed", 30, "the plugin is named")
    assert trial.plugin()["reason"] == "cannot be loaded: ordered"
    trial.stack.wait_until(trial.stack.is_ready, 30, "the product is ready")
    trial.await_calm()
    components = trial.stack.api.get("/health")["components"]
    assert components["plugins"]["status"] == "degraded"
    assert "'stranger'" in components["plugins"]["reason"]
