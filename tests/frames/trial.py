"""The trial of frame-exactness: a counting camera is recorded, record worker and FFmpeg are killed, all is played."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tests.cameras import CounterCamera
from tests.cameras.footage import Exactness, judge
from tests.stack import Stack
from tests.stack.playback import play, play_with_ffmpeg
from tests.stack.store import CLOSED, OPEN, Store, assert_store_is_consistent

#: Minimum time between two kills, whose times are otherwise random.
APART_SECONDS = 4.0
#: Minimum time between the last kill and the end, so that the last footage can be written.
CALM_SECONDS = 10.0


@dataclass
class Outcome:
    """The result of a trial. `killed_at` in seconds from its start; `complaints` are messages of ffmpeg."""

    seconds: float
    killed_at: list[float]
    played: Exactness
    played_by_ffmpeg: Exactness
    complaints: str
    files: int
    clock_error: float
    dropped_by_camera: int

    def describe(self) -> list[str]:
        """The results as text, one per line."""
        return [
            f"{self.seconds:.0f} s at 25 frames a second, {len(self.killed_at)} kills, {self.files} files",
            f"by the playlist, piece by piece: {self.played}",
            f"ffmpeg reading the playlist: {self.played_by_ffmpeg}",
            f"messages of ffmpeg: {self.complaints or 'none'}",
            f"times in the playlist are right within {self.clock_error * 1000:.0f} ms",
        ]


def choose_moments(kills: int, seconds: float, seed: int) -> list[float]:
    """Random times in order, with minimum distances. Raises ValueError when there is not enough time."""
    room = seconds - CALM_SECONDS - kills * APART_SECONDS
    if room < 0:
        raise ValueError(f"{kills} kills need at least {kills * APART_SECONDS + CALM_SECONDS:g} s, not {seconds:g}")
    dice = random.Random(seed)
    return [
        place + number * APART_SECONDS
        for number, place in enumerate(sorted(dice.uniform(0, room) for _ in range(kills)), 1)
    ]


def run_trial(
    stack: Stack,
    camera: CounterCamera,
    *,
    seconds: float,
    kills: int,
    seed: int = 3,
    say: Callable[[str], None] = lambda _text: None,
) -> Outcome:
    """Record a new device for `seconds`, with `kills` kills of the record worker and as many of the device's FFmpeg,
    then play everything back."""
    device_id = stack.add_device("Counter", camera.url)["id"]
    stack.api.post(f"/recordings/devices/{device_id}/start")
    store = Store.of(stack, device_id)
    began = time.time()
    _await_index(stack, store, began + 1, 30)
    began = time.time()
    killed_at = []
    for moment, victim in _choose_victims(kills, seconds, seed):
        stack.wait_until(lambda until=began + moment: time.time() >= until, seconds, "the next kill is due")
        find = _find_worker if victim == "record worker" else partial(_find_ffmpeg, device_id=device_id)
        os.kill(stack.wait_until(partial(find, stack), 30, f"there is a {victim}"), signal.SIGKILL)
        killed_at.append(time.time() - began)
        say(f"killed the {victim} after {killed_at[-1]:.1f} s")
    stack.wait_until(lambda: time.time() >= began + seconds, seconds, "the recording has its length")
    ended = time.time()
    _await_index(stack, store, ended, 30)
    stack.api.post(f"/recordings/devices/{device_id}/stop")
    stack.wait_until(lambda: not [row for row in store.segments() if row.state == OPEN], 15, "the last file is closed")
    assert_store_is_consistent(stack, device_id, is_recording=False)
    whole = began - 60, time.time()
    played = play(stack, device_id, *whole, camera=camera)
    by_ffmpeg, complaints = play_with_ffmpeg(stack, device_id, *whole)
    assert camera.wall_clock(played.counters[0]) < began, "the beginning is not played"
    assert camera.wall_clock(played.counters[-1]) > ended - 1, "the end is not played"
    return Outcome(
        seconds=seconds,
        killed_at=killed_at,
        played=judge(played.counters),
        played_by_ffmpeg=judge(by_ffmpeg),
        complaints=complaints,
        files=len([row for row in store.segments() if row.state == CLOSED]),
        clock_error=max(abs(error) for error in played.clock_errors),
        dropped_by_camera=camera.dropped,
    )


def _choose_victims(kills: int, seconds: float, seed: int) -> list[tuple[float, str]]:
    """When which process is killed, in order."""
    workers = [(moment, "record worker") for moment in choose_moments(kills, seconds, seed)]
    return sorted([*workers, *((moment, "ffmpeg") for moment in choose_moments(kills, seconds, seed + 1000))])


def _find_ffmpeg(stack: Stack, device_id: str) -> int | None:
    """The FFmpeg process of the device; None while there is none."""
    return next(iter(stack.ffmpeg_pids(device_id)), None)


def _find_worker(stack: Stack) -> int | None:
    """The recording process; None while there is none."""
    return stack.process("record").pid


def _await_index(stack: Stack, store: Store, moment: float, seconds: float) -> None:
    stack.wait_until(
        lambda: any(row.end_ms / 1000 > moment for row in store.segments()),
        seconds,
        "the footage is in the index",
    )
