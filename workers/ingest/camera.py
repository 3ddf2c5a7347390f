"""One session with a camera, and the receivers of the tracks that are used."""

from collections.abc import Callable, Iterable, Sequence
from time import monotonic
from typing import Any

from gateway.media import AudioInfo, SourceInfo, TrackInfo, VideoInfo
from gateway.outputs import PacketTaker
from gateway.sources.source import SourceSession
from workers.ingest.matroska import FEEDABLE_AUDIO, FEEDABLE_VIDEO
from workers.rtp.audio import depacketizer_for
from workers.rtp.receiver import TrackReceiver
from workers.rtp.sender_reports import read_sender_reports
from workers.rtp.sync import TrackSync
from workers.rtp.track_clock import MAX_DELAY, TrackClock
from workers.rtp.unit_receiver import UnitReceiver
from workers.rtp.units import AUDIO, VIDEO, CodecData, MediaUnit, SourceError, TrackDescription

#: A camera that is joined in the middle of a picture may begin with some damaged ones.
_MANY_DAMAGED = 8
#: Before, the arrivals say too little of how fast the camera's clock runs.
_RATE_SECONDS = 30.0
#: A unit is hardly ever later than it seemed to be.
_LATER_SECONDS = 0.25
#: Between units of one moment: a little more than a tick of 90 kHz.
_CROWD_SECONDS = 0.00002


class Camera:
    """Opens a session and receives its first usable video and audio track; `on_unit` gets their access units."""

    def __init__(
        self,
        session: SourceSession,
        on_unit: Callable[[MediaUnit], None],
        *,
        takers: dict[str, PacketTaker] | None = None,
        wants_audio: bool = True,
    ) -> None:
        self.session = session
        self._on_unit = on_unit
        self._takers = takers or {}
        self._wants_audio = wants_audio
        self._sync = TrackSync()
        self._receivers: dict[int, TrackReceiver] = {}
        self._unit_receivers: dict[str, UnitReceiver] = {}
        self._clocks: dict[str, TrackClock] = {}
        self.description: Any = None
        self.video: TrackReceiver | UnitReceiver | None = None
        self.audio: TrackReceiver | UnitReceiver | None = None
        #: Why tracks are left out, as sentences.
        self.left_out: tuple[str, ...] = ()
        self.has_b_frames = False
        self.key_frame_interval_seconds: float | None = None
        self._last_key: MediaUnit | None = None
        self._began_at: float | None = None
        self._batch_at = float("-inf")
        self._is_taken = False
        #: When sound last came, by the monotonic clock.
        self.sound_at = float("-inf")

    async def open(self) -> None:
        """Connect, choose the tracks, and let their packets come. Raises SourceError."""
        self.description = await self.session.describe()
        video, audio = self._choose(self.description.tracks)
        chosen = [track for track in (video, audio) if track is not None]
        for track in chosen:
            clock = TrackClock(track.clock_rate, can_reorder=track.kind == VIDEO)
            self._clocks[track.kind] = clock
            receiver = self._build_receiver(track, clock)
            if track.kind == VIDEO:
                self.video = receiver
            else:
                self.audio = receiver
        await self.session.play(chosen, self)

    def _build_receiver(self, track: TrackDescription, clock: TrackClock) -> TrackReceiver | UnitReceiver:
        if self.description.gives_units:
            self._unit_receivers[track.kind] = units = UnitReceiver(track, clock, self._take)
            return units
        self._receivers[track.index] = packets = TrackReceiver(track, clock, self._take)
        return packets

    async def wait_ended(self) -> None:
        """Wait for the end of the session, and raise its SourceError."""
        await self.session.wait_ended()

    async def close(self) -> None:
        """End the session in order. May be called twice, at any time."""
        await self.session.close()

    def finish(self) -> None:
        """The session has ended: give the last units, if they are complete."""
        for receiver in self._receivers.values():
            receiver.flush()

    def settle(self, now: float) -> None:
        """Give pictures whose end is in doubt; call it now and then."""
        for receiver in self._receivers.values():
            receiver.settle(now)

    @property
    def rate(self) -> float:
        """How fast the camera's stamps run: media seconds in a real second."""
        clock = self._clocks.get(VIDEO)
        return clock.rate if clock is not None else 1.0

    @property
    def fps(self) -> float | None:
        """Pictures that really come in a second."""
        clock = self._clocks.get(VIDEO)
        return clock.fps if clock is not None else None

    def retime(self, units: Iterable[MediaUnit], *, earliest: float) -> None:
        """Give units that were held back the capture times that are known by now: of a burst of the past, for example,
        the first ones looked as if they were of now.

        A unit whose stamp makes no sense stays beside its neighbours. Those before `earliest` are squeezed into it.
        """
        newest = dict.fromkeys(self._clocks, earliest)
        shifts = dict.fromkeys(self._clocks, 0.0)
        stamped = dict.fromkeys(self._clocks, float("-inf"))
        for unit in units:
            clock, kind = self._clocks[unit.kind], unit.kind
            time = clock.at(unit.timestamp)
            shift = time - unit.time
            if kind == AUDIO:
                shift += self._sync.shift(AUDIO)
            is_next = time > stamped[kind] or unit.is_b_frame
            if is_next and not clock.is_by_arrival and -MAX_DELAY < shift < _LATER_SECONDS:
                shifts[kind] = shift
                stamped[kind] = max(time, stamped[kind])
            time = unit.time + shifts[kind]
            if not unit.is_b_frame or time <= earliest:
                newest[kind] = time = max(time, newest[kind] + _CROWD_SECONDS)
            unit.time = time

    def seconds_between(self, earlier: MediaUnit, later: MediaUnit) -> float:
        """The distance of two pictures by the camera's stamps, which the first arrivals do not blur; where they make
        no sense, by the capture times."""
        by_time = later.time - earlier.time
        by_stamps = self.stamped_seconds(earlier, later)
        if self._began_at is not None and later.arrived - self._began_at > _RATE_SECONDS:
            by_stamps /= self.rate
        return by_stamps if abs(by_stamps - by_time) < 0.5 + 0.2 * by_time else by_time

    def stamped_seconds(self, earlier: MediaUnit, later: MediaUnit) -> float:
        """The distance of two pictures by the camera's stamps alone."""
        return (later.timestamp - earlier.timestamp) / self.video.track.clock_rate

    @property
    def has_packets(self) -> bool:
        """Whether packets of the video track have come."""
        return self.video is not None and self.video.packets > 0

    @property
    def is_garbage(self) -> bool:
        """Whether most of what comes as video is none, although the network loses nothing."""
        video = self.video
        if video is None or video.damaged_units < _MANY_DAMAGED:
            return False
        return video.damaged_units > video.units and video.lost_packets * 10 < video.damaged_units

    def describe(self, *, has_sound: bool) -> SourceInfo:
        """The stream as it is known now; with `has_sound` its sound is used."""
        tracks = tuple(
            TrackInfo(track.index, track.kind if track.kind in (VIDEO, AUDIO) else "data", track.codec)
            for track in self.description.tracks
        )
        data = self.video.codec_data if self.video is not None else None
        return SourceInfo(
            video=self._describe_video(data) if data is not None else None,
            audio=_describe_audio(self.audio) if has_sound and self.audio is not None else None,
            tracks=tracks,
            has_packets=not self.description.gives_units,
        )

    def _describe_video(self, data: CodecData) -> VideoInfo:
        return VideoInfo(
            codec=data.codec,
            width=data.width,
            height=data.height,
            fps=data.fps or self.fps,
            profile=data.profile,
            pixel_format=data.pixel_format,
            has_b_frames=self.has_b_frames or bool(data.has_b_frames),
            key_frame_interval_seconds=self.key_frame_interval_seconds,
        )

    # ---- on the loop, called by the session (SourceReceiver) ----------------------------------------------------

    def packet(self, index: int, packet: bytes, arrived: float) -> None:
        """See SourceReceiver."""
        if arrived != self._batch_at:
            # Once for all packets that came together: whether somebody watches is not asked for each of them.
            self._batch_at = arrived
            self._offer_to_takers()
        receiver = self._receivers.get(index)
        if receiver is not None:
            receiver.receive(packet, arrived)

    def rtcp(self, index: int, packet: bytes, arrived: float) -> None:
        """Sender reports synchronise the sound with the picture, and do nothing else."""
        receiver = self._receivers.get(index)
        if receiver is None:
            return
        for report in read_sender_reports(packet):
            timestamp = receiver.unwrap(report.rtp_time)
            if timestamp is not None:
                kind = receiver.track.kind
                self._sync.report(kind, report.ntp_seconds, timestamp, self._clocks[kind].at(timestamp))

    def flush(self) -> None:
        """See SourceReceiver."""
        if self._is_taken:
            for taker in self._takers.values():
                taker.flush()

    def unit(
        self,
        kind: str,
        timestamp: int,
        data: bytes,
        is_key: bool = True,
        *,
        arrived: float | None = None,
        codec_data: CodecData | None = None,
    ) -> None:
        """See SourceReceiver. Outputs that take packets get nothing of them."""
        receiver = self._unit_receivers.get(kind)
        if receiver is not None:
            receiver.receive(timestamp, data, is_key, monotonic() if arrived is None else arrived, codec_data)

    # ---- inside ------------------------------------------------------------------------------------------------

    def _choose(self, tracks: Sequence[TrackDescription]) -> tuple[TrackDescription, TrackDescription | None]:
        problems: list[str] = []
        video = next((t for t in tracks if t.kind == VIDEO and t.problem is None and t.codec in FEEDABLE_VIDEO), None)
        if video is None:
            found = sorted({t.codec for t in tracks if t.kind == VIDEO})
            if found:
                raise SourceError("unsupported_codec", f"the camera sends {', '.join(found)}, which is not supported")
            raise SourceError("no_video")
        audio = None
        for track in tracks if self._wants_audio else ():
            if track.kind != AUDIO or audio is not None or track.direction in ("sendonly", "inactive"):
                continue
            if track.problem is not None:
                problems.append(f"without sound: {track.problem}")
            elif track.codec not in FEEDABLE_AUDIO or not (
                self.description.gives_units or depacketizer_for(track) is not None
            ):
                problems.append(f"without sound: its codec '{track.codec}' is not supported")
            else:
                audio = track
        self.left_out = tuple(problems) if audio is None else ()
        return video, audio

    def _offer_to_takers(self) -> None:
        self._is_taken = False
        for receiver in self._receivers.values():
            taker = self._takers.get(receiver.track.kind)
            if taker is not None and not taker.is_wanted:
                taker = None
            if receiver.taker is not taker:
                receiver.taker = taker
            self._is_taken |= taker is not None

    def _take(self, unit: MediaUnit) -> None:
        if unit.kind == VIDEO:
            if unit.is_b_frame:
                self.has_b_frames = True
            if unit.is_key:
                if self._last_key is not None:
                    self.key_frame_interval_seconds = round(self.seconds_between(self._last_key, unit), 3)
                self._last_key = unit
            if self._began_at is None:
                self._began_at = unit.arrived
        else:
            self.sound_at = unit.arrived
            unit.time += self._sync.shift(AUDIO, unit.time)
        self._on_unit(unit)


def _describe_audio(receiver: TrackReceiver | UnitReceiver) -> AudioInfo | None:
    data = receiver.codec_data
    return AudioInfo(data.codec, data.sample_rate or None, data.channels or None) if data is not None else None
