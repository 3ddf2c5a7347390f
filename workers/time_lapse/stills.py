"""What a time-lapse is made of: key frames of footage or snapshots, found, timed and read one by one."""

from dataclasses import dataclass, field
from typing import Any

from gateway.captures.files import CaptureFiles
from gateway.captures.time_lapses import KeyFrame, Picks, Steps, pick_key_frames, pick_snapshots
from gateway.errors import NotFound
from gateway.footage.reading import main_gap
from gateway.footage.recordings import Recording, find_recording
from gateway.jobs.files import format_range
from gateway.mp4.boxes import InvalidMedia
from gateway.mp4.samples import VIDEO, TrackFormat, has_whole_units, parse_init, parse_part
from gateway.mp4.still_track import TIMESCALE, build_jpeg_entry
from gateway.states import reason_for
from gateway.storage.footage_reader import refuse_if_away
from gateway.storage.interface import Storage, StorageUnavailable
from gateway.storage.local import open_storage
from gateway.tenancy.scopes import TenantScope
from workers.job_runner import JobContext, JobFailed

_MAX_NOTES = 20
_JPEG_START = b"\xff\xd8\xff"


@dataclass(frozen=True, slots=True)
class Still:
    """A picture to be encoded. `time` and `duration` in ticks of the film, `source` is what it is read from."""

    time: int
    duration: int
    at_ms: int
    source: Any = field(repr=False)


@dataclass(slots=True)
class Reel:
    """Stills of one format, in order, and the sample entry by which a decoder reads them; JPEGs have no `video`."""

    entry: bytes = field(repr=False)
    size: tuple[int, int]
    video: TrackFormat | None = field(default=None, repr=False)
    stills: list[Still] = field(default_factory=list)


class RecordingStills:
    """Key frames of a device's footage."""

    def __init__(self, context: JobContext) -> None:
        self._context, self._asked = context, context.attempt.parameters
        self._storage: Storage = open_storage(context.config)
        self._recording = self._find_recording()
        self._picks = Picks()
        self._formats: dict[str, TrackFormat | None] = {}
        self._damaged = 0

    def find(self) -> list[Reel]:
        """What is to be encoded; empty when there is nothing."""
        self._context.report(0.0, "reading")
        asked = self._asked
        steps = Steps(asked["start_ms"], asked["end_ms"], asked["step_ms"])
        self._picks = pick_key_frames(self._recording, steps, self._context.check)
        ticks = TIMESCALE * asked["step_ms"] / 1000 / asked["speed"]
        reels: list[Reel] = []
        number = 0
        for pick in self._picks.pictures:
            self._context.check()
            time = round(number * ticks)
            number += pick.steps
            video = self._read_format(pick.frame)
            if video is None:
                self._damaged += 1
                continue
            if not reels or not video.fits(reels[-1].video):
                reels.append(Reel(video.entry, video.picture_size, video))
            reels[-1].stills.append(Still(time, round(number * ticks) - time, pick.frame.at_ms, pick.frame))
        return reels

    def read(self, still: Still) -> bytes | None:
        """The picture as its track holds it; None when it is damaged."""
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
        """Why nothing was found, or none of it could be read: a code and a message."""
        self.check_device()
        if self._damaged:
            return "footage_damaged", "nothing in this range can be read"
        return "no_footage", "there is no footage in this range any more"

    def notes(self) -> list[str]:
        """What is worth knowing of the film."""
        notes = []
        for start, end in self._picks.gaps[: _MAX_NOTES + 1]:
            gap = main_gap(self._recording.id, start, end)
            why = f" ({reason_for(gap.reason_code).message})" if gap else ""
            notes.append(f"no footage: {format_range(start, end)}{why}")
        if len(notes) > _MAX_NOTES:
            notes[_MAX_NOTES:] = [f"and {len(self._picks.gaps) - _MAX_NOTES} more gaps"]
        return notes + _tell_damages(self._damaged)

    def check_device(self) -> None:
        """Raise JobFailed `device_deleted` where it was: with it goes its footage, and then that is the reason."""
        self._find_recording()

    def _find_recording(self) -> Recording:
        attempt = self._context.attempt
        try:
            return find_recording(TenantScope(attempt.tenant_id), attempt.device_id)
        except NotFound:
            raise JobFailed("device_deleted", "the device was deleted, and its footage with it") from None

    def _read_format(self, frame: KeyFrame) -> TrackFormat | None:
        """The video of a file; files of one run are of one format, but may be damaged each."""
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
    """Snapshots of a device, each shown for the same time."""

    def __init__(self, context: JobContext) -> None:
        self._context, self._asked = context, context.attempt.parameters
        self._files = CaptureFiles.from_config(context.config)
        self._damaged = 0

    def find(self) -> list[Reel]:
        """What is to be encoded; empty when there is nothing."""
        asked, attempt = self._asked, self._context.attempt
        found = pick_snapshots(
            TenantScope(attempt.tenant_id),
            attempt.device_id,
            asked["start_ms"],
            asked["end_ms"],
            step_ms=asked["step_ms"],
            schedule_id=asked["schedule_id"],
        )
        if not found:
            return []
        ticks = TIMESCALE / asked["fps"] if asked["seconds"] is None else TIMESCALE * asked["seconds"] / len(found)
        sizes = sorted(((one.width, one.height) for one in found), key=lambda size: size[0] * size[1])
        # FFmpeg takes a first picture that is lower than its track says for half of an interlaced one. The true size is
        # told by each picture; all are fitted into the largest.
        reel = Reel(build_jpeg_entry(sizes[0][0], min(height for _, height in sizes)), sizes[-1])
        for number, snapshot in enumerate(found):
            time = round(number * ticks)
            reel.stills.append(Still(time, round((number + 1) * ticks) - time, snapshot.at_ms, snapshot.file))
        return [reel]

    def read(self, still: Still) -> bytes | None:
        """The JPEG; None when it is gone or none."""
        try:
            data = self._files.read(still.source)
        except NotFound:
            data = b""
        if data.startswith(_JPEG_START):
            return data
        self._damaged += 1
        return None

    def why_empty(self) -> tuple[str, str]:
        """Why nothing was found, or none of it could be read: a code and a message."""
        if self._damaged:
            return "footage_damaged", "no snapshot of this range can be read"
        return "no_footage", "there are no snapshots in this range any more"

    def check_device(self) -> None:
        """Snapshots outlive their device."""

    def notes(self) -> list[str]:
        """What is worth knowing of the film."""
        return _tell_damages(self._damaged)


def _tell_damages(count: int) -> list[str]:
    if not count:
        return []
    what = "a picture that cannot be read was" if count == 1 else f"{count} pictures that cannot be read were"
    return [f"{what} left out"]
