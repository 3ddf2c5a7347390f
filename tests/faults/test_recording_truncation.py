"""Files of footage truncated at any byte: whole parts are played, the rest is a gap, and rows and files agree."""

import os
from pathlib import Path

import pytest

from gateway import database
from gateway.app import create_app
from gateway.clock import SystemClock
from gateway.secrets import SecretBox
from gateway.storage.folders import list_folders
from gateway.storage.local import ensure_storage
from gateway.storage.reconciliation import Reconciliation
from tests.factories import make_config, make_device
from tests.playback import NOON_MS, FootageFactory, make_clip
from tests.stack.boxes import ScannedFile, scan_file
from tests.stack.playback import ByteRange, format_time, parse_playlist, play_segments
from tests.stack.store import MISSING, Store, find_problems

#: Copies of the same footage, each cut elsewhere, so far apart.
APART_MS = 10_000
#: Files of long ago: those that have just been written are left alone.
LONG_AGO = NOON_MS / 1000
BASE = "http://localhost"


def at_every_edge(scan: ScannedFile) -> list[int]:
    """Before and after the last byte of every box, nested ones included, but the end of the file."""
    end = scan.edges[-1]
    return sorted({cut for edge in (0, *scan.edges) for cut in (edge - 1, edge, edge + 1) if 0 <= cut < end})


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("is_open", [False, True], ids=["closed", "open"])
def test_a_file_cut_at_every_edge_of_a_box_plays_up_to_its_last_whole_part(
    bound_database, tmp_path, scope, redis_url, is_open
):
    config = make_config(database_url=bound_database, redis_url=redis_url, var_dir=tmp_path / "var")
    device = make_device(scope, SecretBox.from_config(config))
    footage = FootageFactory(config, scope, device.id)
    clip = make_clip(seconds=2, audio=True)
    whole = scan_file(clip.init + b"".join(part.data for part in clip.parts))
    cuts = at_every_edge(whole)
    assert len(cuts) > 200
    for number, cut in enumerate(cuts):
        start_ms = NOON_MS + number * APART_MS
        (file,) = footage.record(clip, start_ms, is_open=is_open)
        footage.add_gap(file.end_ms, start_ms + APART_MS)
        footage.truncate(file, cut)
        os.utime(file.path, (LONG_AGO, LONG_AGO))

    reconcile(config)

    root = Path(ensure_storage(config).root)
    store = Store(bound_database, root, device.id)
    assert find_problems(store, is_recording=False) == []
    expected = [frames for cut in cuts if (frames := whole_frames(whole, cut))]
    rows = store.segments()
    assert [row.frames for row in rows if row.state != MISSING] == expected
    end = NOON_MS / 1000 + len(cuts) * APART_MS / 1000
    played = play_in_process(config, device.id, NOON_MS / 1000, end)
    assert [len(stretch) for stretch in played] == expected
    assert all(stretch == list(range(len(stretch))) for stretch in played)


def whole_frames(whole: ScannedFile, cut: int) -> int:
    """The frames of the parts that end at or before a cut."""
    return sum(part.frames for part in whole.parts if part.offset + part.size <= cut)


def reconcile(config) -> None:
    """One round over everything, by somebody who has said that what is missing is lost."""
    work = Reconciliation(ensure_storage(config), SystemClock(), is_recorded=lambda _device: False, may_lose=True)
    with database.session():
        folders = list(list_folders(NOON_MS + 86_400_000))
    for folder in folders:
        work.repair(work.scan(folder))


def play_in_process(config, device_id: str, start: float, end: float) -> list[list[int]]:
    """What the API's playlist plays, stretch by stretch."""
    client = create_app(config).test_client()
    path = f"/api/v1/recordings/devices/{device_id}/playlist"
    answer = client.get(path, query_string={"start": format_time(start), "end": format_time(end)})
    assert answer.status_code == 200, answer.text

    def fetch(item: ByteRange) -> bytes:
        headers = {"Range": f"bytes={item.offset}-{item.offset + item.size - 1}"} if item.size is not None else {}
        answer = client.get(item.url.removeprefix(BASE), headers=headers)
        assert answer.status_code in (200, 206), answer.text
        return answer.data

    return play_segments(parse_playlist(answer.text, BASE + path).segments, fetch=fetch).ranges
