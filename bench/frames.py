"""Frame accuracy: ten minutes of a camera with numbered frames; record worker and FFmpeg are killed 20 times each."""

from tests.cameras import CounterCamera
from tests.frames.trial import Outcome, run_trial

from .options import Options
from .product import open_product
from .report import Result, Table

SECONDS, KILLS = 600, 20
QUICK_SECONDS, QUICK_KILLS = 45, 3


def run(options: Options) -> Result:
    """Run one trial; its kill times come from a fixed seed, so that it can be repeated."""
    seconds, kills = (QUICK_SECONDS, QUICK_KILLS) if options.quick else (SECONDS, KILLS)
    with CounterCamera(audio=True) as camera, open_product() as stack:
        outcome = run_trial(stack, camera, seconds=seconds, kills=kills, say=options.say)
    return _report(outcome)


def _report(outcome: Outcome) -> Result:
    def row(name: str, found: object) -> list[str]:
        counts = [found.frames, found.missing_frames, len(found.repeated), len(found.misplaced)]
        return [name, *(str(count) for count in counts)]

    return Result(
        "frames",
        "",
        {},
        tables=[
            Table(
                f"Frames played back after {len(outcome.killed_at)} kills of the record worker and of FFmpeg in "
                f"{outcome.seconds:.0f} s",
                ["", "frames", "missing", "repeated", "out of order"],
                [
                    row("by the playlist, segment by segment", outcome.played),
                    row("FFmpeg reading the playlist", outcome.played_by_ffmpeg),
                ],
            )
        ],
        notes=[
            "Each picture contains its frame number, at 25 frames per second with sound; kill -9 at random times "
            "from a fixed seed. Decoded frames are counted.",
            f"FFmpeg's messages about the playlist: {outcome.complaints or 'none'}.",
            f"Times in the playlist (EXT-X-PROGRAM-DATE-TIME) were accurate to {outcome.clock_error * 1000:.0f} ms; "
            f"{outcome.files} files.",
        ],
        raw={
            "killed_at_seconds": [round(moment, 2) for moment in outcome.killed_at],
            "missing": outcome.played.missing,
            "repeated": outcome.played.repeated,
            "misplaced": outcome.played.misplaced,
            "clock_error_seconds": outcome.clock_error,
        },
    )
