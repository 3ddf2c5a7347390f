"""Derives why an FFmpeg process ended, in words for people, from its return code and its standard error.

FFmpeg reads what the ingest feeds it: what it says concerns the media, itself, or its output, never a camera's network.
"""

import re
import signal

from gateway.states import Reason, reason_for

#: The first pattern that matches any line wins, so more specific patterns come first.
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (code, re.compile(pattern, re.IGNORECASE))
    for code, pattern in (
        (
            "unsupported_codec",
            r"Could not find tag for codec|codec not currently supported in container|Unknown (encoder|decoder)"
            r"|Could not write header|Decoder \(codec \w+\) not found",
        ),
        ("no_video", r"Stream map '0:v:0' matches no streams|Output file .* does not contain any stream"),
        ("invalid_data", r"Invalid data found when processing input"),
    )
)

#: Lines that are unrelated to the failure.
_NOISE = re.compile(r"Last message repeated|deprecated|Estimating duration|max_analyze_duration|past duration", re.I)
_ERROR = re.compile(r"\[(?:error|fatal)\]")
_LEVEL = re.compile(r"^(?:\[[^\]]*\] )*\[(?:fatal|error|panic|warning)\]\s*", re.I)
_SHORT_POINTER = re.compile(r" @ 0x[0-9a-f]+")
_MESSAGE_CHARACTERS = 200


def diagnose(lines: list[str], return_code: int | None) -> Reason:
    """The reason why FFmpeg ended, from the last lines of its log (already redacted) and its return code.

    A process that was ended by a signal was killed or crashed, whatever it logged before.
    """
    if return_code is not None and return_code < 0:
        return reason_for("ffmpeg_killed", f"the ffmpeg program was ended by {_format_signal(-return_code)}")
    text = [line for line in lines if not _NOISE.search(line)]
    for code, pattern in _PATTERNS:
        if any(pattern.search(line) for line in text):
            return reason_for(code)
    return reason_for("unknown", _describe(text, return_code))


def diagnose_output(lines: list[str], return_code: int | None) -> Reason:
    """Why the FFmpeg process of an output ended: in FFmpeg's own words, since only its plugin knows where it leads."""
    if return_code is not None and return_code < 0:
        return diagnose(lines, return_code)
    return reason_for("output_failed", _describe([line for line in lines if not _NOISE.search(line)], return_code))


def clean(line: str) -> str:
    """A line of FFmpeg's log without its level and memory addresses."""
    return _LEVEL.sub("", _SHORT_POINTER.sub("", line)).strip()


def _describe(lines: list[str], return_code: int | None) -> str:
    errors = [clean(line) for line in lines if _ERROR.search(line)]
    if errors:
        return f"ffmpeg stopped: {errors[-1][:_MESSAGE_CHARACTERS]}"
    return f"ffmpeg ended with code {return_code} without a reason"


def _format_signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
