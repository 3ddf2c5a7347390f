"""The trial of a plugin: what its author relies on."""

import io
import re
import shutil
from itertools import pairwise
from pathlib import Path

import av
import marshmallow as ma
import pytest

from gateway import database
from gateway.errors import JobFailed, NotFound, PluginError
from gateway.events.following import Follower
from gateway.storage.local import open_storage
from gateway.testing import JobCancelled, PluginTrial
from gateway.testing.fixtures import make_settings
from gateway.testing.under_test import GivenPlugin, find_entry_point
from tests.gateway.testing import sample


@pytest.fixture
def plugin_under_test():
    sample.seen.clear()
    return "sample", sample


def decode(data):
    with av.open(io.BytesIO(data)) as container:
        return [(float(frame.pts * frame.time_base), frame.to_ndarray(format="gray")) for frame in container.decode(0)]


def test_an_output_gets_parts_that_can_be_played(plugin_trial):
    attached = plugin_trial.attach(output="sample")
    plugin_trial.feed(seconds=10)
    parts = [part for part, _ in attached.consumption.parts]
    assert [part.sequence for part in parts] == list(range(1, 21))
    assert parts[0].is_key
    assert all(later.start == earlier.end for earlier, later in pairwise(parts))
    frames = decode(attached.consumption.parts[0][1] + b"".join(part.data for part in parts))
    assert [round(at, 3) for at, _ in frames] == [round(number / 10, 3) for number in range(100)]
    assert plugin_trial.clock.wall() == parts[-1].end
    assert len(plugin_trial.events) == sum(part.is_key for part in parts)


def test_something_moves_only_when_it_is_asked_for(plugin_trial):
    attached = plugin_trial.attach(output="sample")
    plugin_trial.feed(seconds=3, moving=False)
    plugin_trial.feed(seconds=3)
    init = attached.consumption.parts[0][1]
    frames = [picture for _, picture in decode(init + b"".join(part.data for part, _ in attached.consumption.parts))]

    def moved(earlier, later):
        return int((abs(frames[later].astype(int) - frames[earlier]) > 40).sum())

    assert moved(0, 29) == 0
    assert moved(35, 59) > 1000


def test_an_output_of_the_sub_stream_gets_its_pictures(plugin_trial):
    attached = plugin_trial.attach(output="sample_sub")
    plugin_trial.feed(seconds=2)
    batches = attached.consumption.batches
    assert attached.consumption.parts == []
    assert [len(batch.pictures) for batch in batches] == [5, 5, 5, 5]
    decoder = av.CodecContext.create(batches[0].codec, "r")
    decoder.extradata = batches[0].extra_data
    pictures = [picture for batch in batches for picture in batch.pictures]
    frames = [frame for one in pictures for frame in decoder.decode(av.Packet(one.data))] + decoder.decode(None)
    assert (len(frames), frames[0].width, pictures[0].is_key) == (20, 320, True)


def test_two_outputs_of_a_device_get_the_same_parts(plugin_trial):
    first, second = plugin_trial.attach(output="sample"), plugin_trial.attach(output="sample")
    other = plugin_trial.attach(plugin_trial.add_device("Camera 2"), output="sample")
    plugin_trial.feed(seconds=1)
    assert first.consumption.parts == second.consumption.parts
    assert {part.device_id for part, _ in other.consumption.parts} == {other.device.id}


def test_an_output_that_does_not_want_a_device_is_not_attached(plugin_trial):
    plugin_trial.set_options({"enabled": False}, device_id=plugin_trial.device.id)
    with pytest.raises(AssertionError, match="does not want the device 'Camera 1'"):
        plugin_trial.attach(output="sample")


def test_an_output_must_be_named_if_there_are_several(plugin_trial):
    with pytest.raises(AssertionError, match="several"):
        plugin_trial.attach()
    with pytest.raises(AssertionError, match="no consumer output 'nothing'"):
        plugin_trial.attach(output="nothing")


def test_an_attachment_ends_when_tick_says_so(plugin_trial):
    plugin_trial.set_options({"most": 3}, device_id=plugin_trial.device.id)
    attached = plugin_trial.attach(output="sample")
    plugin_trial.feed(seconds=5)
    assert (len(attached.consumption.parts), attached.ended) == (3, "not_wanted")
    assert ("closed", "Camera 1", "not_wanted") in sample.seen
    assert [hook for hook, _ in plugin_trial.notified] == ["on_stream_state"]
    with pytest.raises(AssertionError, match="nothing is attached"):
        plugin_trial.feed()


def test_a_device_that_is_not_wanted_any_more_is_detached(plugin_trial):
    attached = plugin_trial.attach(output="sample")
    plugin_trial.feed(seconds=1)
    plugin_trial.set_options({"enabled": False}, device_id=plugin_trial.device.id)
    plugin_trial.feed(seconds=1)
    assert (len(attached.consumption.parts), attached.ended) == (2, "requested")


def test_a_direct_output_gets_what_the_camera_sends(plugin_trial):
    assert plugin_trial.attach_direct().arguments[-1] == "320"
    plugin_trial.detach()
    assert ("released", plugin_trial.device.id) in sample.seen


def test_options_are_inherited_checked_and_announced(plugin_trial):
    device = plugin_trial.add_device("Gate", tags=("outside",))
    plugin_trial.set_options({"server": "here", "most": 7})
    plugin_trial.set_options({"most": 8}, tag="outside")
    plugin_trial.set_options({"key": "a secret"})
    options = plugin_trial.plugin.options
    assert (options.installation()["key"], options.installation()["server"]) == ("a secret", "here")
    assert (options.device(device.id)["most"], options.device(plugin_trial.device.id)["most"]) == (8, 7)
    assert sample.seen[0] == ("options", None, "here")
    with pytest.raises(ma.ValidationError) as refused:
        plugin_trial.set_options({"most": 0, "unknown": 1}, device_id=device.id)
    assert "unknown" in refused.value.messages
    with pytest.raises(NotFound):
        plugin_trial.set_options({"most": 1}, device_id="00000000-0000-0000-0000-000000000000")


def test_jobs_run_at_once_with_progress_result_and_failure(plugin_trial):
    assert plugin_trial.run_job("sample.double", number=2) == {"number": 4, "device_id": None}
    assert plugin_trial.progress == [(0.5, "doubling")]
    with pytest.raises(JobFailed, match="there is no number"):
        plugin_trial.run_job("sample.double")
    with pytest.raises(JobCancelled):
        plugin_trial.run_job("sample.double", number=2, cancel_at=1)
    with pytest.raises(AssertionError, match=r"no job 'sample.halve'; it has 'sample.double'"):
        plugin_trial.run_job("sample.halve")
    states = [job["state"] for job in plugin_trial.client.get("/api/v1/jobs").get_json()]
    assert sorted(states) == ["cancelled", "done", "failed", "failed"]


def test_facts_call_the_hooks_and_their_jobs_can_be_run(plugin_trial):
    bookmark = plugin_trial.facts.bookmark(title="A parcel")
    assert sample.seen == [("bookmark", bookmark.title)]
    assert plugin_trial.run_waiting_jobs() == [{"number": 8, "device_id": plugin_trial.device.id}]
    plugin_trial.facts.event("motion", label="person")
    assert sample.seen[-1] == ("event", "motion", "person")
    with pytest.raises(AssertionError, match="does not implement 'on_clip'"):
        plugin_trial.facts.clip()
    with pytest.raises(RuntimeError, match="a bad event"):
        plugin_trial.facts.event("bad")


def test_a_segment_is_real_footage(plugin_trial):
    first, second = plugin_trial.facts.segment(seconds=4), plugin_trial.facts.segment(seconds=2)
    assert sample.seen == [("segment", 4000), ("segment", 2000)]
    assert second.start_ms == first.start_ms + first.duration_ms
    data = b"".join(open_storage(plugin_trial.config).read(first.key))
    assert len(data) == first.size
    assert len(decode(data)) == 40
    day = plugin_trial.client.get(f"/api/v1/recordings/devices/{plugin_trial.device.id}/dates/2025-06-15/segments")
    assert [one["size"] for one in day.get_json()] == [first.size, second.size]


def test_schedules_services_health_and_tables_work(plugin_trial):
    plugin_trial.run_schedule("hourly")
    assert sample.seen == [("hourly",)]
    plugin_trial.run_service("serve", until=sample.ready.is_set)
    assert not sample.ready.is_set()
    assert plugin_trial.health()["sample"].reason == "it is a sample"
    with database.session() as connection:
        assert connection.execute_sql("SELECT count(*) FROM sample_notes").fetchone() == (0,)


def test_a_service_that_fails_or_never_does_its_work_fails_the_test(plugin_trial):
    with pytest.raises(RuntimeError, match="it cannot stop"):
        plugin_trial.run_service("bad", until=lambda: True)
    with pytest.raises(AssertionError, match=r"has not done within 0\.05 s"):
        plugin_trial.run_service("serve", until=lambda: False, seconds=0.05)


def test_events_of_the_plugin_are_in_the_feed(plugin_trial):
    event_id = plugin_trial.plugin.events.record(plugin_trial.device.id, "barking", start_ms=1000, label="dog")
    plugin_trial.plugin.events.change(event_id, end_ms=3000)
    (event,) = plugin_trial.events
    assert (event.kind, event.label, event.end_ms, event.plugin) == ("barking", "dog", 3000, "sample")
    assert event.id in [row.id for row in Follower(0).read()]


@pytest.fixture
def load(migrated_database, tmp_path):
    """`load(entry_point)` makes a trial of it, which ends with the test."""
    trials = []

    def make(entry_point):
        shutil.copy(migrated_database, tmp_path / "trial.db")
        trials.append(PluginTrial(entry_point, make_settings(tmp_path, tmp_path / "trial.db")))
        return trials[-1]

    yield make
    for trial in trials:
        trial.close()
    database.close()


BELL = '[project.entry-points."gateway.plugins"]\nbell = "{module}"\n'


def make_project(folder, module, text, points=BELL):
    """A project with a plugin; returns the file of its tests."""
    (folder / "pyproject.toml").write_text("[project]\nname = 'bell'\n" + points.format(module=module))
    (folder / f"{module}.py").write_text(text)
    (folder / "tests").mkdir()
    return folder / "tests/test_bell.py"


def test_the_plugin_is_found_by_the_entry_point_of_the_project(load, tmp_path):
    trial = load(find_entry_point(make_project(tmp_path, "bell_found", "")))
    assert (trial.name, trial.events) == ("bell", [])


@pytest.mark.parametrize(
    ("module", "text", "points", "message"),
    [
        ("bell_import", "import nothing_like_this\n", BELL, "No module named 'nothing_like_this'"),
        (
            "bell_hook",
            "from gateway.plugin_api import hookimpl\n\n@hookimpl\ndef on_bell():\n    pass\n",
            BELL,
            "a hook that does not exist",
        ),
        (
            "bell_options",
            "from gateway.plugin_api import hookimpl\n\n@hookimpl\ndef register_options():\n    return [1]\n",
            BELL,
            "has options that cannot be used: register_options must return",
        ),
        ("bell_none", "", "", "has no plugin below"),
        ("bell_two", "", BELL + 'chime = "chime"\n', "has several plugins, bell, chime"),
        ("bell_toml", "", "[[[", "cannot be read"),
        ("bell_value", "", '[project.entry-points."gateway.plugins"]\nbell = 7\n', "must be 'module', not 7"),
    ],
)
def test_a_plugin_that_cannot_be_loaded_is_named(load, tmp_path, module, text, points, message):
    with pytest.raises(PluginError, match=re.escape(message)):
        load(find_entry_point(make_project(tmp_path, module, text, points)))


def test_without_a_project_the_plugin_must_be_given():
    with pytest.raises(PluginError, match="define the fixture 'plugin_under_test'"):
        find_entry_point(Path("/nowhere/test_bell.py"))


def test_a_plugin_whose_work_is_wrong_is_named(load):
    with pytest.raises(PluginError, match=r"the kind of a job of plugin 'other' must be like 'other\.word'"):
        load(GivenPlugin("other", sample))
