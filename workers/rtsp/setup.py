"""SETUP and PLAY: tries the URLs and the transport that the camera may have meant."""

from collections.abc import Sequence

from workers.rtp.units import VIDEO, SourceError, TrackDescription
from workers.rtsp.answers import refusal
from workers.rtsp.dialogue import Dialogue
from workers.rtsp.messages import Reply
from workers.rtsp.target import TCP, UDP
from workers.rtsp.tracks import SetTracks
from workers.rtsp.transports import parse_transport
from workers.rtsp.urls import aggregate_urls, track_urls

#: URLs that are tried for one track or for PLAY.
_MAX_URLS = 8
#: Answers to a URL that the camera may have meant otherwise.
_WRONG_URL = frozenset({400, 404, 451, 454, 455})
#: Answers to SETUP that concern the whole camera, not only the track.
_WHOLE_CAMERA = frozenset({403, 453, 503})
#: Answers to a Range that the camera does not want.
_WRONG_RANGE = frozenset({451, 456, 457})


class TrackRefused(SourceError):
    """The camera refuses a track: the others may be played without it."""


class Setup:
    """The setting up of one session. `bases`: the URLs to which `controls` (by the track's index) may be relative."""

    def __init__(
        self,
        dialogue: Dialogue,
        tracks: SetTracks,
        bases: list[str],
        controls: dict[int, str],
        transport: str,
        *,
        may_switch: bool = True,
    ) -> None:
        #: The transport in use; the other one than asked for, if the camera refuses that.
        self.transport = transport
        #: By index: why a track was left out.
        self.left_out: dict[int, SourceError] = {}
        self._dialogue = dialogue
        self._tracks = tracks
        self._bases = bases
        self._controls = controls
        self._may_switch = may_switch
        # Which of the URLs was right for the last track.
        self._style = 0

    async def set_up(self, wanted: Sequence[TrackDescription]) -> None:
        """Set up these tracks; one without pictures that is refused is left out. Raises SourceError."""
        for track in wanted:
            if track.problem is not None:
                continue
            try:
                await self._set_up(track)
            except TrackRefused as error:
                if track.kind == VIDEO:
                    raise SourceError(error.reason, error.message) from None
                self.left_out[track.index] = SourceError(error.reason, error.message)
                self._dialogue.note(f"refuses SETUP of track {track.index + 1} ({track.codec or track.kind})")
        if not self._tracks.tracks:
            raise next(iter(self.left_out.values()), SourceError("no_video"))

    async def _set_up(self, track: TrackDescription) -> None:
        urls = track_urls(self._bases, self._controls.get(track.index, track.control))
        likely = urls[self._style : self._style + 1]
        first: Reply | None = None
        for url in [*likely, *(url for url in urls if url not in likely)][:_MAX_URLS]:
            reply = await self._ask(track, url)
            if reply.status == 461 and self._switch():
                reply = await self._ask(track, url)
            if reply.is_ok:
                self._style = urls.index(url)
                return
            first = first or reply
            if reply.status not in _WRONG_URL:
                first = reply
                break
        error = refusal("SETUP", first)
        raise error if first.status in _WHOLE_CAMERA else TrackRefused(error.reason, error.message)

    async def _ask(self, track: TrackDescription, url: str) -> Reply:
        item, header = self._tracks.prepare(track, self.transport)
        try:
            reply = await self._dialogue.ask("SETUP", url, {"Transport": header})
            if reply.is_ok:
                self._dialogue.read_session(reply)
                quirk = self._tracks.add(item, url, parse_transport(reply.get("transport"), self.transport))
                if quirk:
                    self._dialogue.note(quirk)
            return reply
        finally:
            if item.udp is not None and item not in self._tracks.tracks:
                item.udp.close()

    def _switch(self) -> bool:
        """After 461: go on with the other transport; False once tracks are set up, or if that is no choice."""
        if self._tracks.tracks or not self._may_switch:
            return False
        self._may_switch = False
        refused, self.transport = self.transport, UDP if self.transport == TCP else TCP
        self._dialogue.note(f"refuses {refused.upper()}: {self.transport.upper()} is used")
        return True

    async def play(self) -> Reply:
        """Ask for PLAY; raises SourceError."""
        headers = {"Range": "npt=0.000-"}
        first: Reply | None = None
        # The base that was right for the tracks is likely right here.
        place = self._style if self._style < len(self._bases) else 0
        for url in aggregate_urls([*self._bases[place:], *self._bases[:place]])[:_MAX_URLS]:
            reply = await self._dialogue.ask("PLAY", url, headers)
            if reply.status in _WRONG_RANGE and headers:
                self._dialogue.note(f"answers {reply.status} to a PLAY with a range")
                headers = {}
                reply = await self._dialogue.ask("PLAY", url, headers)
            if reply.is_ok:
                return reply
            first = first or reply
            if reply.status == 459:
                return await self._play_each(headers)
            if reply.status not in _WRONG_URL:
                first = reply
                break
        if first.status in _WRONG_URL and (single := self._single_url()):
            reply = await self._dialogue.ask("PLAY", single, headers)
            if reply.is_ok:
                return reply
        raise refusal("PLAY", first)

    def _single_url(self) -> str | None:
        return self._tracks.tracks[0].url if len(self._tracks.tracks) == 1 else None

    async def _play_each(self, headers: dict[str, str]) -> Reply:
        """PLAY for each track by itself."""
        self._dialogue.note("plays each track by itself only")
        for item in self._tracks.tracks:
            reply = await self._dialogue.ask("PLAY", item.url, headers)
            if not reply.is_ok:
                raise refusal("PLAY", reply)
        return reply
