"""Exports: a range of a recording as one MP4. The job; how the film is made stands in workers/exporting/."""

from typing import Any

from gateway.errors import NotFound
from gateway.footage.cuts import ContiguousRange, cut_footage, uncovered_between
from gateway.footage.reading import main_gap
from gateway.footage.recordings import Recording, find_recording
from gateway.jobs.files import ResultFile, check_space, format_range
from gateway.jobs.model import JobAttempt
from gateway.mp4.movie_writer import estimate_index_bytes
from gateway.states import reason_for
from gateway.storage.footage_reader import FootageReader
from gateway.storage.local import open_storage
from gateway.tenancy.scopes import TenantScope
from workers.exporting.cut import Cut
from workers.exporting.filling import write_movie
from workers.exporting.source import inspect
from workers.job_runner import JobContext, JobFailed, result_stem

EXPORT = "export"
KEY_FRAMES, EXACT = "key_frames", "exact"

#: Holes and damages that are told one by one.
_MAX_NOTES = 20


def run_export(attempt: JobAttempt, context: JobContext) -> dict[str, Any]:
    """Run a job of the kind `export`; parameters: `start_ms end_ms cut name`. Gives the result of the job.

    Raises JobFailed, and what `context.check` raises.
    """
    asked = attempt.parameters
    recording = _find(attempt)
    stretches = cut_footage(recording, asked["start_ms"], asked["end_ms"])
    if not stretches:
        raise JobFailed("no_footage", "there is no footage in this range any more")
    index_bytes = estimate_index_bytes(
        sum(one.frames for one in stretches),
        sum(one.parts for one in stretches),
        sum(one.end_ms - one.start_ms for one in stretches if one.has_audio) / 1000,
    )
    check_space(context.config, sum(one.size for one in stretches) + index_bytes)
    name = f"{result_stem(attempt)}.mp4"
    with ResultFile(context.config.exports_dir, name) as sink:
        try:
            facts = _make_movie(context, recording, stretches, sink, index_bytes)
        except JobFailed:
            # With a device goes its footage: then that is the reason.
            _find(attempt)
            raise
        _find(attempt)
        context.check()
        size = sink.keep()
    return {"file": name, "size": size, "content_type": "video/mp4", "name": asked["name"], **facts}


def _find(attempt: JobAttempt) -> Recording:
    try:
        return find_recording(TenantScope(attempt.tenant_id), attempt.device_id)
    except NotFound:
        raise JobFailed("device_deleted", "the device was deleted, and its footage with it") from None


def _make_movie(
    context: JobContext, recording: Recording, stretches: list[ContiguousRange], sink: ResultFile, index_bytes: int
) -> dict[str, Any]:
    """Write the film; gives what the result tells of it."""
    asked = context.attempt.parameters
    is_exact = asked["cut"] == EXACT
    reader = FootageReader(open_storage(context.config), context.check)
    source = inspect(stretches, reader, is_exact=is_exact)
    if not source.stretches:
        raise JobFailed("footage_damaged", "nothing in this range can be read")
    cut = Cut(
        context,
        source,
        reader,
        sink,
        start_ms=asked["start_ms"],
        end_ms=asked["end_ms"],
        is_exact=is_exact,
        index_bytes=index_bytes,
    )
    seconds = write_movie(cut)
    damages = _shorten([f"damaged, left out: {format_range(*one)}" for one in reader.damaged], "damaged places")
    return cut.facts(seconds) | {"notes": cut.notes + damages + _tell_holes(recording, cut)}


def _tell_holes(recording: Recording, cut: Cut) -> list[str]:
    start_ms = max(cut.first_ms, cut.start_ms)
    notes = []
    for start, end in uncovered_between(cut.source.stretches, start_ms, cut.end_ms)[: _MAX_NOTES + 1]:
        gap = main_gap(recording.id, start, end)
        why = f" ({reason_for(gap.reason_code).message})" if gap else ""
        notes.append(f"no footage: {format_range(start, end)}{why}")
    return _shorten(notes, "gaps")


def _shorten(notes: list[str], what: str) -> list[str]:
    return notes if len(notes) <= _MAX_NOTES else [*notes[:_MAX_NOTES], f"and more {what}"]
