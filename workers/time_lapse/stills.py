"""The pictures of a time-lapse: key frames of footage or snapshots, found, timed and read one by one."""

from dataclasses import dataclass, field
from typing import Any

from gateway.captures.files import CaptureFiles
from gateway.captures.time_lapses import KeyFrame, Picks, Steps, pick_key_frames, pick_snapshots
from gateway.errors import JobFailed, NotFound
from gateway.footage.reading import main_gap
from gateway.footage.recordings import Recording, find_recording
from gateway.jobs.files import format_range
from gateway.mp4.boxes import InvalidMedia
from gateway.mp4.samples import VIDEO, TrackFormat, has_whole_units, parse_init, parse_part
from gateway.mp4.still_track import TIMESCALE, build_jpeg_entry
from gateway.states import reason_for
from gateway.storage.footage_reader import refuse_if_away
from gateway.storage.interface import Storage, StorageUnavailable
from gateway.tenancy.scopes import TenantScope
from workers.footage import open_worker_footage
from workers.job_runner import JobContext

_MAX_NOTES = 20
_JPEG_START = b"\xff\xd8\xff"


@dataclass(frozen=True, slots=True)
class Still:
    """A picture to encode. `time` and `duration` in ticks of the movie; `source` identifies the stored picture."""

    time: int
    duration: int
    at_ms: int
    source: Any = field(repr=False)


@dataclass(slots=True)
class StillSequence:
    """Stills of one format, in order, and the sample entry for their decoder; JPEGs have no `video`."""

    entry: bytes = field(repr=False)
    size: tuple[int, int]
    video: TrackFormat | None = field(default=None, repr=False)
    stills: list[Still] = field(default_factory=list)


class RecordingStills:
    """Key frames of a device's footage."""

    def __init__(self, context: JobContext) -> None:
        self._context, self._parameters = context, context.attempt.parameters
        self._storage: Storage = open_worker_footage(context.config)
        self._recording = self._find_recording()
        self._picks = Picks()
        self._formats: dict[str, TrackFormat | None] = {}
        self._damaged = 0

    def find(self) -> list[StillSequence]:
        """Find the stills to encode; empty when there are none."""
        self._context.report(0.0, "reading")
        parameters = self._parameters
        steps = Steps(parameters["start_ms"], parameters["end_ms"], parameters["step_ms"])
        self._picks = pick_key_frames(self._recording, steps, self._context.check)
        ticks = TIMESCALE * parameters["step_ms"] / 1000 / parameters["speed"]
        sequences: list[StillSequence] = []
        number = 0
        for pick in self._picks.pictures:
            self._context.check()
            time = round(number * ticks)
            number += pick.steps
            video = self._read_format(pick.frame)
            if video is None:
                self._damaged += 1
                continue
            if not sequences or not video.fits(sequences[-1].video):
                sequences.append(StillSequence(video.entry, video.picture_size, video))
            sequences[-1].stills.append(Still(time, round(number * ticks) - time, pick.frame.at_ms, pick.frame))
        return sequences

    def read(self, still: Still) -> bytes | None:
        """The encoded key frame of a still; None when it is damaged."""
        frame: KeyFrame = still.source
        try:
            data = b"".join(self._storage.read(frame.key, frame.offset, frame.size))
            video = self._formats[frame.key]
            samples = next(one for one in parse_part(data, (video,)) if one.track.kind == VIDEO).cut(0, 1)
            if samples.keys[0] and has_whole_units(samples, video.length_size):
                return bytes(samples.data)
        except (InvalidMedia, NotFound, StopIteration):
            pass
        except StorageUnavailable as error:
            refuse_if_away(error)
        self._damaged += 1
        return None

    def why_empty(self) -> tuple[str, str]:
        """The reason why nothing was found or could be read: a code and a message."""
        self.check_device()
        if self._damaged:
            return "footage_damaged", "nothing in this range can be read"
        return "no_footage", "there is no longer footage in this range"

    def notes(self) -> list[str]:
        """Notes for the job's result: gaps and damaged pictures."""
        notes = []
        for start, end in self._picks.gaps[: _MAX_NOTES + 1]:
            gap = main_gap(self._recording.id, start, end)
            reason = f" ({reason_for(gap.reason_code).message})" if gap else ""
            notes.append(f"no footage: {format_range(start, end)}{reason}")
        if len(notes) > _MAX_NOTES:
            notes[_MAX_NOTES:] = [f"and {len(self._picks.gaps) - _MAX_NOTES} more gaps"]
        return notes + _describe_damage(self._damaged)

    def check_device(self) -> None:
        """Raise JobFailed `device_deleted` for a deleted device: its footage is deleted with it."""
        self._find_recording()

    def _find_recording(self) -> Recording:
        attempt = self._context.attempt
        try:
            return find_recording(TenantScope(attempt.tenant_id), attempt.device_id)
        except NotFound:
            raise JobFailed("device_deleted", "the device was deleted, and its footage with it") from None

    def _read_format(self, frame: KeyFrame) -> TrackFormat | None:
        """The video format of a file; files of one run have one format, but each may be damaged."""
        if frame.key not in self._formats:
            try:
                init = b"".join(self._storage.read(frame.key, 0, frame.init_size))
                tracks = parse_init(init)
                self._formats[frame.key] = next((one for one in tracks if one.kind == VIDEO), None)
            except (InvalidMedia, NotFound):
                self._formats[frame.key] = None
            except StorageUnavailable as error:
                refuse_if_away(error)
                self._formats[frame.key] = None
        return self._formats[frame.key]


class SnapshotStills:
    """Snapshots of a device, all shown for the same time."""

    def __init__(self, context: JobContext) -> None:
        self._context, self._parameters = context, context.attempt.parameters
        self._files = CaptureFiles.from_config(context.config)
        self._damaged = 0

    def find(self) -> list[StillSequence]:
        """Find the stills to encode; empty when there are none."""
        parameters, attempt = self._parameters, self._context.attempt
        found = pick_snapshots(
            TenantScope(attempt.tenant_id),
            attempt.device_id,
            parameters["start_ms"],
            parameters["end_ms"],
            step_ms=parameters["step_ms"],
            schedule_id=parameters["schedule_id"],
        )
        if not found:
            return []
        seconds = parameters["seconds"]
        ticks = TIMESCALE / parameters["fps"] if seconds is None else TIMESCALE * seconds / len(found)
        sizes = sorted(((one.width, one.height) for one in found), key=lambda size: size[0] * size[1])
        # FFmpeg treats a first picture that is lower than its track as half of an interlaced one. Each picture declares
        # its true size; all are fitted into the largest.
        sequence = StillSequence(build_jpeg_entry(sizes[0][0], min(height for _, height in sizes)), sizes[-1])
        for number, snapshot in enumerate(found):
            time = round(number * ticks)
            sequence.stills.append(Still(time, round((number + 1) * ticks) - time, snapshot.at_ms, snapshot.file))
        return [sequence]

    def read(self, still: Still) -> bytes | None:
        """The JPEG of a still; None when it is gone or is no JPEG."""
        try:
            data = self._files.read(still.source)
        except NotFound:
            data = b""
        if data.startswith(_JPEG_START):
            return data
        self._damaged += 1
        return None

    def why_empty(self) -> tuple[str, str]:
        """The reason why nothing was found or could be read: a code and a message."""
        if self._damaged:
            return "footage_damaged", "no snapshot of this range can be read"
        return "no_footage", "there are no longer snapshots in this range"

    def check_device(self) -> None:
        """Do nothing: snapshots remain when their device is deleted."""

    def notes(self) -> list[str]:
        """Notes for the job's result: gaps and damaged pictures."""
        return _describe_damage(self._damaged)


def _describe_damage(count: int) -> list[str]:
    if not count:
        return []
    subject = "a picture that cannot be read was" if count == 1 else f"{count} pictures that cannot be read were"
    return [f"{subject} left out"]
