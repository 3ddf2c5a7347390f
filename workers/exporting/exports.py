"""The export job: a range of a recording as one MP4."""

from typing import Any

from gateway.errors import JobFailed, NotFound
from gateway.footage.cuts import ContiguousRange, cut_footage, uncovered_between
from gateway.footage.reading import main_gap
from gateway.footage.recordings import Recording, find_recording
from gateway.jobs.attempts import JobAttempt
from gateway.jobs.files import ResultFile, check_space, format_range
from gateway.mp4.movie_writer import estimate_index_bytes
from gateway.states import reason_for
from gateway.storage.footage_reader import FootageReader
from gateway.tenancy.scopes import TenantScope
from workers.exporting.cut import Cut
from workers.exporting.source import inspect
from workers.exporting.writing import write_movie
from workers.footage import open_worker_footage
from workers.job_runner import JobContext, result_stem

EXPORT = "export"
KEY_FRAMES, EXACT = "key_frames", "exact"

#: Maximum number of gaps and damaged ranges that are listed one by one.
_MAX_NOTES = 20


def run_export(attempt: JobAttempt, context: JobContext) -> dict[str, Any]:
    """Run a job of the kind `export` with the parameters `start_ms end_ms cut name`; return the job's result.

    Raises JobFailed, and any exception of `context.check`.
    """
    parameters = attempt.parameters
    recording = _find_recording(attempt)
    ranges = cut_footage(recording, parameters["start_ms"], parameters["end_ms"])
    if not ranges:
        raise JobFailed("no_footage", "there is no longer footage in this range")
    index_bytes = estimate_index_bytes(
        sum(one.frames for one in ranges),
        sum(one.parts for one in ranges),
        sum(one.end_ms - one.start_ms for one in ranges if one.has_audio) / 1000,
    )
    check_space(context.config, sum(one.size for one in ranges) + index_bytes)
    name = f"{result_stem(attempt)}.mp4"
    with ResultFile(context.config.exports_dir, name) as sink:
        try:
            facts = _make_movie(context, recording, ranges, sink, index_bytes)
        except JobFailed:
            # The footage is deleted with its device: then that is the reason.
            _find_recording(attempt)
            raise
        _find_recording(attempt)
        context.check()
        size = sink.keep()
    return {"file": name, "size": size, "content_type": "video/mp4", "name": parameters["name"], **facts}


def _find_recording(attempt: JobAttempt) -> Recording:
    try:
        return find_recording(TenantScope(attempt.tenant_id), attempt.device_id)
    except NotFound:
        raise JobFailed("device_deleted", "the device was deleted, and its footage with it") from None


def _make_movie(
    context: JobContext, recording: Recording, ranges: list[ContiguousRange], sink: ResultFile, index_bytes: int
) -> dict[str, Any]:
    """Write the movie; return its part of the job's result."""
    parameters = context.attempt.parameters
    is_exact = parameters["cut"] == EXACT
    reader = FootageReader(open_worker_footage(context.config), context.check)
    source = inspect(ranges, reader, is_exact=is_exact)
    if not source.ranges:
        raise JobFailed("footage_damaged", "nothing in this range can be read")
    cut = Cut(
        context,
        source,
        reader,
        sink,
        start_ms=parameters["start_ms"],
        end_ms=parameters["end_ms"],
        is_exact=is_exact,
        index_bytes=index_bytes,
    )
    seconds = write_movie(cut)
    damage = _shorten([f"damaged, left out: {format_range(*one)}" for one in reader.damaged], "damaged places")
    return cut.facts(seconds) | {"notes": cut.notes + damage + _describe_gaps(recording, cut)}


def _describe_gaps(recording: Recording, cut: Cut) -> list[str]:
    start_ms = max(cut.first_ms, cut.start_ms)
    notes = []
    for start, end in uncovered_between(cut.source.ranges, start_ms, cut.end_ms)[: _MAX_NOTES + 1]:
        gap = main_gap(recording.id, start, end)
        reason = f" ({reason_for(gap.reason_code).message})" if gap else ""
        notes.append(f"no footage: {format_range(start, end)}{reason}")
    return _shorten(notes, "gaps")


def _shorten(notes: list[str], what: str) -> list[str]:
    return notes if len(notes) <= _MAX_NOTES else [*notes[:_MAX_NOTES], f"and more {what}"]
