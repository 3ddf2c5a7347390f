"""Wrong clocks: half an hour of recording cameras whose time stamps disagree with their pictures or sound."""

import time
from contextlib import ExitStack
from dataclasses import dataclass, field

import requests
from playwright.sync_api import Browser, Error

from tests.cameras.footage import FootageError, judge
from tests.stack import Stack
from tests.stack.playback import fetch_playlist, fetch_ranges

from .browser import open_browser, view_whep
from .clock_footage import Clocks, measure_beep, read_clocks
from .drifting_camera import BEEP_EVERY_SECONDS, DriftingCamera
from .options import Options
from .product import open_product
from .recording_check import check_recording
from .report import Result, Table
from .statistics import percentile

SECONDS, QUICK_SECONDS = 1800, 120
#: Until then a camera's clock may be followed less closely.
LEARNING_SECONDS = 60.0
#: How often, and for how long, the sound of each camera is compared with the picture in a page.
LOOK_EVERY_SECONDS, LOOK_SECONDS, SETTLE_SECONDS = 300.0, 17.0, 3.0
#: Settings of DriftingCamera by the title of the camera.
CAMERAS: dict[str, dict[str, float]] = {
    "good clocks": {},
    "stamped 25 fps, sends 21": {"fps": 21, "stamped_fps": 25.0},
    "stamped 24.9 fps, sends 25": {"fps": 25, "stamped_fps": 24.9},
    "sound 1 % slow, no sender reports": {"sound_rate": 0.99},
    "sound 1 % fast, no sender reports": {"sound_rate": 1.01},
}


@dataclass(frozen=True)
class Outcome:
    """What one camera's recording says; `reported_fps` and `restarts` are from the stream's state.

    `live_errors`: how much later than the picture each beep was heard in a page, in seconds.
    """

    clocks: Clocks
    lost_seconds: float
    began: float
    reported_fps: float | None
    restarts: int
    live_errors: list[float] = field(default_factory=list)


def run(options: Options) -> Result:
    """Record all cameras at once for half an hour, then play everything back."""
    seconds = QUICK_SECONDS if options.quick else SECONDS
    outcomes: dict[str, Outcome] = {}
    problems: list[str] = []
    with ExitStack() as held:
        cameras = {title: held.enter_context(DriftingCamera(**settings)) for title, settings in CAMERAS.items()}
        stack = held.enter_context(open_product(recording_mode="continuous"))
        devices = {title: stack.add_device(title, camera.url)["id"] for title, camera in cameras.items()}
        for device in devices.values():
            stack.wait_for_state(device, "running")
        began = time.time()
        live: dict[str, list[float]] = {title: [] for title in cameras}
        while (left := began + seconds - time.time()) > 0:
            options.say(f"recording, {left:.0f} s to go")
            look_at = time.time() + min(left, LOOK_EVERY_SECONDS)
            with open_browser() as browser:
                for title, camera in cameras.items():
                    live[title] += _listen(browser, stack, devices[title], camera)
            time.sleep(max(0.0, look_at - time.time()))
        for title, camera in cameras.items():
            options.say(f"playing back: {title}")
            try:
                outcomes[title] = _examine(stack, devices[title], camera, began, live[title])
            except (FootageError, requests.RequestException) as error:
                problems.append(f"Could not be played back: {title}: {error}.")
    return _report(outcomes, seconds, problems)


def _listen(browser: Browser, stack: Stack, device: str, camera: DriftingCamera) -> list[float]:
    """Watch by WHEP for some beeps; return how much later than the picture each is, in seconds.

    Without a picture there is no beep.
    """
    fps = camera.settings.fps
    try:
        with view_whep(browser, stack, device, has_sound=True) as view:
            view.page.wait_for_timeout(SETTLE_SECONDS * 1000)
            return [measure_beep(number / fps)[1] for number in view.collect_beeps(LOOK_SECONDS, fps)]
    except Error:
        return []


def _examine(stack: Stack, device: str, camera: DriftingCamera, began: float, live: list[float]) -> Outcome:
    until = time.time()
    stream = stack.stream(device)
    lost = check_recording(stack, [device], began, 0.0).lost_seconds
    segments = fetch_playlist(stack, device, began, until).segments
    clocks = read_clocks(fetch_ranges(segments), camera.started_at, camera.settings.fps)
    return Outcome(clocks, lost, began, stream["fps"], stream["restarts"], live)


def build_row(title: str, outcome: Outcome) -> list[str]:
    """Build the row of one camera; errors of the first minute are apart."""
    clocks, learned = outcome.clocks, outcome.began + LEARNING_SECONDS
    seen = judge(clocks.counters)
    cells = [f"{outcome.lost_seconds:.1f} s", str(seen.missing_frames), str(len(seen.repeated) + len(seen.misplaced))]
    cells += [
        str(clocks.ranges),
        str(outcome.restarts),
        "-" if outcome.reported_fps is None else f"{outcome.reported_fps:.1f}",
    ]
    for errors in (clocks.index_errors, clocks.sound_errors):
        first = [abs(error) for moment, error in errors if moment < learned]
        later = [abs(error) for moment, error in errors if moment >= learned]
        cells += [_format_most(first), f"{_format_p95(later)} / {_format_most(later)}"]
    live = [abs(error) for error in outcome.live_errors]
    cells += [str(len(clocks.sound_errors)), f"{_format_p95(live)} / {_format_most(live)}", str(len(live))]
    return [title, *cells]


def _report(outcomes: dict[str, Outcome], seconds: float, problems: list[str]) -> Result:
    head = [
        "camera",
        "holes",
        "pictures missing",
        "repeated or misplaced",
        "contiguous ranges",
        "restarts",
        "fps reported",
    ]
    head += ["index − picture, ms: first minute", "then p95 / maximum"]
    head += ["A − V, ms: first minute", "then p95 / maximum", "beeps", "live A − V, ms: p95 / maximum", "beeps"]
    rows = [build_row(title, outcome) for title, outcome in outcomes.items()]
    return Result(
        "clocks",
        "",
        {},
        tables=[Table(f"Recordings of {seconds / 60:.0f} min of cameras with wrong clocks", head, rows)],
        notes=[
            "To be reached: no hole, no missing picture, no restart, one range; index − picture at most 500 ms, A − V "
            "at most 100 ms. A − V is how much later a beep is heard than the picture of its time is shown.",
            f"The sound beeps every {BEEP_EVERY_SECONDS:g} s: more than half of it is counted from another beep. "
            "Live it is measured in a page by Web Audio, with its own delay of some tens of milliseconds included.",
            *problems,
        ],
        raw={
            title: {
                "lost_seconds": outcome.lost_seconds,
                "ranges": outcome.clocks.ranges,
                "restarts": outcome.restarts,
                "fps": outcome.reported_fps,
                "live_errors": outcome.live_errors,
                "index_errors": [
                    [round(moment - outcome.began, 2), round(error, 4)]
                    for moment, error in outcome.clocks.index_errors[::25]
                ],
                "sound_errors": [
                    [round(moment - outcome.began, 2), round(error, 4)] for moment, error in outcome.clocks.sound_errors
                ],
            }
            for title, outcome in outcomes.items()
        },
    )


def _format_most(values: list[float]) -> str:
    return f"{max(values) * 1000:.0f}" if values else "-"


def _format_p95(values: list[float]) -> str:
    return f"{percentile(values, 0.95) * 1000:.0f}" if values else "-"
