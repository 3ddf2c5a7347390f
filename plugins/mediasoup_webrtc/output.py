"""The direct output: opens the ingest of a device at the SFU, sends while somebody watches, and checks what arrives."""

import asyncio
import contextlib
import logging
import time
from typing import Any

from gateway.plugin_api import (
    DeviceContext,
    DirectOutput,
    OutputArguments,
    OutputContext,
    PipelineInputs,
    SourceInfo,
    VasError,
)
from plugins.mediasoup_webrtc.control import SfuControl, SfuRefused, SfuUnreachable
from plugins.mediasoup_webrtc.ingest import DeviceIngest
from plugins.mediasoup_webrtc.options import DeviceOptions, ReadOptions
from plugins.mediasoup_webrtc.rtp import AudioPlan, VideoPlan, plan_audio, plan_video
from plugins.mediasoup_webrtc.tokens import control_key

log = logging.getLogger(__name__)

_POLL_SECONDS = 2.0
#: Interval at which the SFU is told all devices of this process, so that no room stays whose closing was not requested
#: or not answered.
_RESYNC_SECONDS = 10.0
#: Time for which the room of a released device waits for its next owner, which then has it.
_RELEASED_SECONDS = 60.0
_ATTACH_SECONDS = 4.0
#: Waits for a process that has just given up the device, and still closes its sockets.
_PORT_WAITS_SECONDS = (0.1, 0.4)
#: An SFU that is away for this long has no viewers any more. Until then its Workers may well go on without it.
_NOBODY_SECONDS = 60.0


class MediasoupWebrtcOutput(DirectOutput):
    """Sends RTP to the SFU. Rooms outlive the camera's sessions and this worker; ports and SSRCs stay the same."""

    name = "mediasoup_webrtc"

    def __init__(self, context: OutputContext, read_options: ReadOptions = lambda _device_id: DeviceOptions()) -> None:
        self._read_options = read_options
        self._loop = context.loop
        self._stall_seconds = context.config.stall_seconds
        self._ingests: dict[str, DeviceIngest] = {}
        self._released: dict[str, float] = {}
        self._heard_at = time.monotonic()
        self._control = SfuControl(
            context.config.mediasoup_ws_url,
            control_key(context.config.sfu_secret),
            context.worker,
            on_connected=self._resync,
            on_event=self._on_event,
        )
        self._control.start(context.loop)
        self._poller = asyncio.run_coroutine_threadsafe(self._poll(), context.loop)

    def attach(self, device: DeviceContext, inputs: PipelineInputs) -> OutputArguments:
        """Open the ingest and return what it needs. Raises SfuUnreachable if the SFU does not know the device yet."""
        options = self._read_options(device.id)
        video = plan_video(inputs)
        audio = plan_audio(inputs.main.audio, is_video_encoded=video.is_encoded) if options.sound else None
        return self._run(self._attach(device.id, video, audio, inputs.main, options))

    def check(self, device_id: str) -> str | None:
        """Attach again when the room was lost, or if nothing arrives there of what is sent."""
        ingest = self._ingests.get(device_id)
        if ingest is not None and ingest.has_new_options:
            return "options_changed"
        if ingest is None or not self._control.is_connected:
            return None
        if ingest.is_lost or not ingest.ports:
            return "output_changed"
        if ingest.arrivals.missing_seconds >= self._stall_seconds:
            ingest.needs_fresh_ports = True
            return "output_stalled"
        return None

    def follow_options(self, device_id: str | None) -> None:
        """Attach a device, or for None any, again if its options differ from those that it was attached with."""
        for one, ingest in list(self._ingests.items()):
            if device_id in (None, one):
                ingest.has_new_options = ingest.options != self._read_options(one)

    def figures(self, device_id: str) -> dict[str, Any]:
        ingest = self._ingests.get(device_id)
        return {"viewers": ingest.audience.viewers if ingest else 0}

    def release(self, device_id: str) -> None:
        """Free the device's ports here; its room stays for the next owner, until `close_room` or for a minute."""
        ingest = self._ingests.pop(device_id, None)
        if ingest is not None:
            self._released[device_id] = time.monotonic()
            self._loop.call_soon_threadsafe(ingest.close)

    def close_room(self, device_id: str) -> None:
        """Close the room of a stopped stream at the SFU. Does not wait."""
        self.release(device_id)
        self._released.pop(device_id, None)
        asyncio.run_coroutine_threadsafe(self._close_room(device_id), self._loop)

    def close(self) -> None:
        self._poller.cancel()
        self._control.close()
        for device_id in list(self._ingests):
            with contextlib.suppress(RuntimeError):
                # The loop may have been closed before: the ports end with the process.
                self.release(device_id)

    # ---- on the loop -------------------------------------------------------------------------------------------

    async def _attach(
        self, device_id: str, video: VideoPlan, audio: AudioPlan | None, source: SourceInfo, options: DeviceOptions
    ) -> OutputArguments:
        # A worker and an SFU that start together: the output would otherwise be attached only seconds later.
        await self._control.wait_for_start()
        ingest = self._ingests.get(device_id)
        if ingest is None:
            ingest = self._ingests[device_id] = DeviceIngest(self._loop)
        self._released.pop(device_id, None)
        ingest.options, ingest.has_new_options = options, False
        ingest.audio_codec = audio.codec if audio else None
        try:
            await self._open_patiently(device_id, ingest)
        except SfuUnreachable:
            # The SFU is away, but will get the same ports when it is back.
            if not ingest.is_open:
                raise
            ingest.is_lost = False
        except (OSError, ValueError) as error:
            ingest.is_lost = True
            raise SfuRefused(f"the SFU's ports cannot be used: {error}") from error
        return ingest.build_arguments(video, audio, source)

    async def _open_patiently(self, device_id: str, ingest: DeviceIngest) -> None:
        """Open, with other ports if the process that had the device before does not give up its source ports."""
        for wait in _PORT_WAITS_SECONDS:
            try:
                await self._open(device_id, ingest)
            except OSError:
                await asyncio.sleep(wait)
            else:
                return
        # Viewers are sent their tracks anew.
        ingest.needs_fresh_ports = True
        await self._open(device_id, ingest)

    async def _open(self, device_id: str, ingest: DeviceIngest) -> None:
        codec = ingest.audio_codec
        try:
            answer = await self._control.request("ingest.open", ingest.build_request(device_id))
        except SfuUnreachable:
            ingest.is_unconfirmed = True
            raise
        if self._ingests.get(device_id) is not ingest:
            raise SfuRefused("the device was released meanwhile")
        ingest.open(answer, codec, time.monotonic())

    async def _resync(self) -> None:
        """Send all rooms after each connection: the SFU may have restarted, or may hold rooms that this worker left."""
        self._heard_at = time.monotonic()
        await self._request_resync()
        await asyncio.gather(*(self._open_again(*item) for item in list(self._ingests.items()) if item[1].ports))

    async def _open_again(self, device_id: str, ingest: DeviceIngest) -> None:
        """A device that cannot be opened, because of its Worker or its ports, does not affect the others."""
        try:
            await self._open(device_id, ingest)
        except (VasError, OSError, ValueError) as error:
            log.warning("device %s: %s", device_id, error)
            ingest.is_lost = True

    async def _request_resync(self) -> None:
        """Close those rooms at the SFU that this process opened last and whose devices it does not have any more."""
        oldest = time.monotonic() - _RELEASED_SECONDS
        for device_id, released_at in list(self._released.items()):
            if released_at < oldest:
                self._released.pop(device_id, None)
        answer = await self._control.request("resync", {"device_ids": [*self._ingests, *self._released]})
        for device_id in answer.get("closed") or ():
            log.info("device %s: its room at the SFU is closed", device_id)

    async def _close_room(self, device_id: str) -> None:
        with contextlib.suppress(VasError):
            await self._control.request("ingest.close", {"device_id": device_id})

    async def _poll(self) -> None:
        """Request the figures of all rooms: viewers, and the packets that arrived; close rooms that were left open."""
        next_resync_at = time.monotonic() + _RESYNC_SECONDS
        while True:
            await asyncio.sleep(_POLL_SECONDS)
            now = time.monotonic()
            if self._control.is_connected and now >= next_resync_at:
                next_resync_at = now + _RESYNC_SECONDS
                with contextlib.suppress(VasError):
                    await self._request_resync()
            try:
                await self._read_statistics()
                await self._confirm()
            except Exception:
                # If polling ended, viewers would be counted wrongly for ever.
                log.exception("the statistics of the SFU cannot be read")
            now = time.monotonic()
            for ingest in list(self._ingests.values()):
                if now - self._heard_at > _NOBODY_SECONDS:
                    ingest.audience.count(0, now)
                ingest.audience.tick(now)

    async def _confirm(self) -> None:
        """Open again what the SFU may have opened after the answer was no longer waited for: its ports may differ."""
        asked = [(name, one) for name, one in self._ingests.items() if one.is_unconfirmed and one.is_open]
        if self._control.is_connected and time.monotonic() - self._heard_at < _POLL_SECONDS:
            await asyncio.gather(*(self._open_again(*item) for item in asked))

    async def _read_statistics(self) -> None:
        if not self._control.is_connected:
            for ingest in self._ingests.values():
                ingest.arrivals.not_answered()
            return
        asked = {device_id: ingest for device_id, ingest in self._ingests.items() if ingest.ports}
        answer: dict[str, Any] | None = None
        try:
            answer = await self._control.request("ingest.stats", {"device_ids": list(asked)})
            self._heard_at = time.monotonic()
        except VasError as error:
            log.debug("no statistics from the SFU: %s", error)
        now = time.monotonic()
        for device_id, ingest in asked.items():
            statistics = answer.get(device_id) if answer else None
            if not isinstance(statistics, dict):
                ingest.arrivals.not_answered()
                # An answer without the device: the SFU has no room for it, and its event was lost.
                ingest.is_lost |= answer is not None and device_id not in answer
                continue
            viewers = statistics.get("viewers")
            if isinstance(viewers, int):
                ingest.audience.count(viewers, now)
            if statistics.get("answered") is False:
                ingest.arrivals.not_answered()
                continue
            video = statistics.get("video")
            packets = video.get("packets") if isinstance(video, dict) else 0
            ingest.arrivals.answered(ingest.sender.sent, packets if isinstance(packets, int) else 0, now)

    def _on_event(self, event: str, data: dict[str, Any]) -> None:
        ingest = self._ingests.get(str(data.get("device_id")))
        if ingest is None:
            return
        if event == "viewers":
            ingest.audience.count(int(data.get("viewers") or 0), time.monotonic())
        elif event == "ingest.lost":
            log.warning("device %s: the SFU lost its room: %s", data.get("device_id"), data.get("reason"))
            ingest.is_lost = True

    def _run(self, coroutine: Any) -> Any:
        """Run a coroutine on the loop and wait, in short waits, so that the worker's shutdown reaches this thread."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        end = time.monotonic() + _ATTACH_SECONDS
        while True:
            try:
                return future.result(timeout=0.25)
            except TimeoutError:
                if future.done() or time.monotonic() > end:
                    future.cancel()
                    raise SfuUnreachable("the SFU does not answer") from None
            except ConnectionError as error:
                raise SfuUnreachable(str(error)) from error
