"""Derives a reason that a user can act on from FFmpeg's standard error."""

import re
import signal

from gateway.states import Reason, reason_for

#: The first pattern that matches any line wins, so more specific patterns come first.
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (code, re.compile(pattern, re.IGNORECASE))
    for code, pattern in (
        ("unauthorized", r"401 Unauthorized|method \w+ failed: 401|authorization failed"),
        ("forbidden", r"403 Forbidden|method \w+ failed: 403"),
        ("not_found", r"404 (Stream )?Not Found|method \w+ failed: 404|454 Session Not Found"),
        ("camera_error", r"5XX Server Error|method \w+ failed: 5\d\d"),
        ("no_video", r"Stream map '0:v:0' matches no streams|Output file .* does not contain any stream"),
        ("port_in_use", r"bind failed: Address already in use|Unable to open RTP.*for output"),
        ("refused", r"Connection refused"),
        ("unknown_host", r"Failed to resolve hostname|Name or service not known|Temporary failure in name resolution"),
        ("unreachable", r"No route to host|Network is unreachable|Host is unreachable"),
        ("timed_out", r"Connection timed out|Operation timed out"),
        ("redirected", r"not on whitelist"),
        ("tls_failed", r"TLS|certificate|handshake"),
        # A track that is announced but sends no picture.
        ("no_video", r"dimensions not set"),
        (
            "unsupported_codec",
            r"Could not find tag for codec|codec not currently supported in container|Unknown (encoder|decoder)"
            r"|Could not write header",
        ),
        ("no_video", r"method \w+ failed: 415|Nothing was written into output file|could not find codec parameters"),
        ("invalid_data", r"Invalid data found when processing input|Protocol not found|Server returned 4"),
        ("closed_by_camera", r"End of file|Connection reset by peer|Broken pipe|Input/output error"),
        # PyAV stopped at its time limit; nothing else is known.
        ("timed_out", r"Immediate exit requested"),
    )
)

#: Names in addresses are the camera's, not FFmpeg's: `rtsp://host/tls` is no failure of TLS.
_ADDRESS = re.compile(r"[a-z]{1,16}://\S+", re.IGNORECASE)
_REDIRECT = re.compile(r"Status 3\d\d: Redirecting to ")
#: Failures of the address to which a camera redirects, if it did.
_OF_ADDRESSES = frozenset(
    ("refused", "unreachable", "unknown_host", "timed_out", "tls_failed", "invalid_data", "closed_by_camera")
)
#: Lines that are unrelated to the failure.
_NOISE = re.compile(r"Last message repeated|deprecated|Estimating duration|max_analyze_duration|past duration", re.I)
_LEVEL = re.compile(r"^(?:\[[^\]]*\] )*\[(?:fatal|error|panic|warning)\]\s*", re.I)
_SHORT_POINTER = re.compile(r" @ 0x[0-9a-f]+")


def diagnose(lines: list[str], return_code: int | None, *, had_video: bool, is_late: bool = False) -> Reason:
    """The reason why FFmpeg ended, from its last lines (already redacted) and its return code.

    A process that was ended by a signal was killed or crashed, whatever it logged before. A run that had video and then
    ends without an error means that the camera closed the connection. `is_late`: the time limit was exceeded; FFmpeg
    reports a missing response as "invalid data" or "input/output error".
    """
    if return_code is not None and return_code < 0:
        return reason_for("ffmpeg_killed", f"the ffmpeg program was ended by {_format_signal(-return_code)}")
    text = [line for line in lines if not _NOISE.search(line)]
    reason = _recognise(text, return_code, had_video=had_video, is_late=is_late)
    is_redirect = not had_video and any(_REDIRECT.search(line) for line in text)
    return reason_for("redirected") if is_redirect and reason.code in _OF_ADDRESSES else reason


def _recognise(text: list[str], return_code: int | None, *, had_video: bool, is_late: bool) -> Reason:
    plain = [_ADDRESS.sub("", line) for line in text if not _REDIRECT.search(line)]
    for code, pattern in _PATTERNS:
        if any(pattern.search(line) for line in plain):
            # "Invalid data" at the end of a working run is only a connection that broke in the middle of a packet.
            if had_video and code in {"invalid_data", "no_video", "refused"}:
                continue
            is_silent = is_late and not had_video and code in {"invalid_data", "closed_by_camera"}
            return reason_for("timed_out" if is_silent else code)
    if had_video or return_code == 0:
        return reason_for("closed_by_camera")
    errors = [clean(line) for line in text if "[error]" in line or "[fatal]" in line]
    if errors:
        return reason_for("unknown", f"ffmpeg stopped: {errors[-1][:200]}")
    return reason_for("unknown", f"ffmpeg ended with code {return_code} without a reason")


def _format_signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def clean(line: str) -> str:
    """A line of FFmpeg's log without its level and memory addresses."""
    return _LEVEL.sub("", _SHORT_POINTER.sub("", line)).strip()
