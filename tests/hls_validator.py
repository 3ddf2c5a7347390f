"""A strict checker of HLS media playlists: RFC 8216 and its successor (8216bis), and the rules of our own files.

    problems = check_playlist(text)                              # one playlist
    problems = check_playlist(later, previous=earlier)           # and the changes allowed between reloads
    problems = check_playlist(text, fetch=lambda uri, range_: …) # and the media that it names: tests/hls_media.py

Every problem is a sentence with its line; an empty list is a valid playlist. Section numbers are of RFC 8216bis.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.hls_reading import NUMBER, ByteRange, HlsPlaylist, HlsSegment, read_playlist

Fetch = Callable[[str, ByteRange | None], bytes]

#: Tolerance of EXT-X-PROGRAM-DATE-TIME against the previous one plus the durations in between, without gaps.
_CLOCK_TOLERANCE_SECONDS = 0.5
_SUM_TOLERANCE_SECONDS = 0.01


def check_playlist(text: str, *, previous: str | None = None, fetch: Fetch | None = None) -> list[str]:
    """All problems of a playlist, of its changes since `previous`, and of the media that it names."""
    playlist, problems = read_playlist(text)
    problems += _check_rules(playlist)
    if previous is not None:
        problems += _check_reload(read_playlist(previous)[0], playlist)
    if fetch is not None and not problems:
        from tests.hls_media import check_media

        problems += check_media(playlist, fetch)
    return problems


def _check_rules(playlist: HlsPlaylist) -> list[str]:
    problems: list[str] = []
    if playlist.target is None:
        return ["EXT-X-TARGETDURATION is missing (4.4.3.1)"]
    if not playlist.segments and not playlist.parts:
        problems.append("there is no segment")
    problems += _check_version(playlist)
    for segment in playlist.segments:
        if int(segment.duration + 0.5) > playlist.target:
            problems.append(
                f"segment {segment.number} of {segment.duration} s is longer than the target duration of "
                f"{playlist.target} s"
                " (4.4.3.1)"
            )
        if segment.map is None:
            problems.append(f"segment {segment.number} has no EXT-X-MAP before it (3.1.2)")
    problems += _check_changes(playlist)
    if playlist.kind == "VOD" and not playlist.is_ended:
        problems.append("a playlist of the type VOD has no EXT-X-ENDLIST, but may not change (6.2.1)")
    if playlist.kind is not None and playlist.sequence and not playlist.is_ended:
        problems.append("a playlist of the type EVENT begins with its first segment (4.4.3.5)")
    if playlist.start is not None and abs(playlist.start) > playlist.duration:
        problems.append(
            f"EXT-X-START at {playlist.start} s is outside of the {playlist.duration:.3f} s there are (4.4.2.2)"
        )
    return problems + _check_parts(playlist)


def _check_version(playlist: HlsPlaylist) -> list[str]:
    """Section 8."""
    needed = 3
    if any(segment.byte_range for segment in playlist.segments):
        needed = 4
    if any(segment.map for segment in playlist.segments) or playlist.map:
        needed = 6
    if playlist.version < needed:
        return [f"what is used needs EXT-X-VERSION {needed}, not {playlist.version} (8)"]
    return []


def _check_changes(playlist: HlsPlaylist) -> list[str]:
    """Checks between consecutive segments: times, and changes that need a discontinuity (4.4.4.3)."""
    problems: list[str] = []
    before: HlsSegment | None = None
    clock: float | None = None
    if (
        playlist.segments
        and playlist.parts
        and playlist.map != playlist.segments[-1].map
        and not playlist.is_discontinuity
    ):
        problems.append("the parts at the end have another EXT-X-MAP without EXT-X-DISCONTINUITY (4.4.4.3)")
    for segment in playlist.segments:
        if before is not None and segment.map != before.map and not segment.is_discontinuity:
            problems.append(f"segment {segment.number} has another EXT-X-MAP without EXT-X-DISCONTINUITY (4.4.4.3)")
        if segment.time is not None:
            if clock is not None:
                drift = segment.time - clock
                if segment.is_discontinuity and drift < -_CLOCK_TOLERANCE_SECONDS:
                    problems.append(
                        f"segment {segment.number} begins {-drift:.3f} s before the end of the one before it"
                    )
                if not segment.is_discontinuity and abs(drift) > _CLOCK_TOLERANCE_SECONDS:
                    problems.append(
                        f"the time of segment {segment.number} jumps by {drift:+.3f} s without EXT-X-DISCONTINUITY"
                    )
            clock = segment.time
        elif segment.is_discontinuity or before is None:
            problems.append(f"segment {segment.number} has no EXT-X-PROGRAM-DATE-TIME, and none to count from")
        if clock is not None:
            clock += segment.duration
        before = segment
    return problems


def _check_parts(playlist: HlsPlaylist) -> list[str]:
    """Low latency: 4.4.3.7, 4.4.3.8, 4.4.4.9 and appendix B."""
    problems: list[str] = []
    control = {name: value for name, value in playlist.control.items() if name not in ("CAN-BLOCK-RELOAD",)}
    numbers = {name: float(value) for name, value in control.items() if NUMBER.fullmatch(value)}
    problems += [f"{name} of EXT-X-SERVER-CONTROL is no number" for name in control.keys() - numbers.keys()]
    if playlist.control.get("CAN-BLOCK-RELOAD", "YES") != "YES":
        problems.append("CAN-BLOCK-RELOAD is YES or left out (4.4.3.8)")
    if numbers.get("HOLD-BACK", 1e9) < 3 * (playlist.target or 0):
        problems.append("HOLD-BACK is less than three target durations (4.4.3.8)")
    if not playlist.part_count:
        return problems
    target = playlist.part_target
    if target is None:
        return [*problems, "EXT-X-PART without EXT-X-PART-INF (4.4.3.7)"]
    if numbers.get("PART-HOLD-BACK", 0) < 2 * target - 1e-9:
        problems.append("PART-HOLD-BACK is missing, or less than two part targets (4.4.3.8)")
    if target > (playlist.target or 0):
        problems.append("the part target is longer than the target duration")
    for place, parts in [
        *((f"segment {s.number}", s.parts) for s in playlist.segments),
        ("the end", playlist.parts),
    ]:
        for number, part in enumerate(parts):
            if part.duration > target + 1e-6:
                problems.append(
                    f"part {number} of {place}, {part.duration} s, is longer than the part target {target} s"
                )
            if part.duration < 0.85 * target and number < len(parts) - 1 and not part.is_gap:
                problems.append(
                    f"part {number} of {place}, {part.duration} s, is shorter than 85 % of {target} s (4.4.4.9)"
                )
    for segment in playlist.segments:
        length = sum(part.duration for part in segment.parts)
        if segment.parts and abs(length - segment.duration) > _SUM_TOLERANCE_SECONDS:
            problems.append(f"the parts of segment {segment.number} last {length:.3f} s, not {segment.duration} s")
    if playlist.is_ended and playlist.hints:
        problems.append("a playlist that has ended hints at a part")
    return problems


def _check_reload(before: HlsPlaylist, after: HlsPlaylist) -> list[str]:
    """Changes between reloads (6.2.1, 6.2.2)."""
    problems: list[str] = []
    if (before.target, before.part_target) != (after.target, after.part_target):
        problems.append(
            f"target durations changed from {before.target} s and {before.part_target} s to {after.target} s and"
            f" {after.part_target} s (6.2.1)"
        )
    if after.sequence < before.sequence:
        return [
            *problems,
            f"EXT-X-MEDIA-SEQUENCE went back from {before.sequence} to {after.sequence} (6.2.2)",
        ]
    removed = before.segments[: after.sequence - before.sequence]
    kept = before.segments[len(removed) :]
    if removed and before.kind is not None:
        problems.append(f"segments were removed from a playlist of the type {before.kind} (4.4.3.5)")
    if removed and after.duration < 3 * (after.target or 0):
        problems.append("segments were removed though less than three target durations are left (6.2.2)")
    if len(kept) > len(after.segments):
        problems.append(f"{len(kept) - len(after.segments)} segments are gone from the end (6.2.1)")
    for old, new in zip(kept, after.segments, strict=False):
        if (old.uri, old.byte_range, old.duration, old.map) != (
            new.uri,
            new.byte_range,
            new.duration,
            new.map,
        ):
            problems.append(
                f"segment {old.number}, {old.uri} of {old.duration} s, is now {new.uri} of {new.duration} s"
            )
        if old.discontinuity != new.discontinuity:
            problems.append(
                f"segment {old.number} had the discontinuity sequence {old.discontinuity}, now {new.discontinuity} "
                "(6.2.2)"
            )
        if old.time != new.time:
            problems.append(f"the time of segment {old.number} changed")
    following = after.segments[len(kept)].parts if len(after.segments) > len(kept) else after.parts
    is_seen = len(before.segments) >= after.sequence - before.sequence
    if is_seen and [part.uri for part in before.parts] != [part.uri for part in following][: len(before.parts)]:
        problems.append("parts that were listed changed")
    if before.is_ended and (not after.is_ended or len(after.segments) != len(before.segments)):
        problems.append("a playlist that had ended changed (4.4.3.4)")
    if before.kind == "VOD" and before != after:
        problems.append("a playlist of the type VOD changed (6.2.1)")
    return problems
