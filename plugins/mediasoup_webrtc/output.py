"""The direct output: opens the ingest of a device at the SFU, and checks that its RTP arrives there."""

import asyncio
import contextlib
import logging
import time
from dataclasses import dataclass, field
from typing import Any

from gateway.errors import VasError
from gateway.outputs import (
    DeviceContext,
    DirectOutput,
    OutputArguments,
    OutputContext,
    OutputMode,
    PipelineInputs,
)
from plugins.mediasoup_webrtc.control import SfuControl, SfuRefused, SfuUnreachable
from plugins.mediasoup_webrtc.rtp import (
    TrackPorts,
    build_audio_arguments,
    build_video_arguments,
    plan_video,
)
from plugins.mediasoup_webrtc.tokens import control_key

log = logging.getLogger(__name__)

_POLL_SECONDS = 2.0
#: Interval at which the SFU is told all devices of this process, so that no room stays whose closing was not requested
#: or not answered.
_RESYNC_SECONDS = 10.0
#: Time for which the room of a released device waits for its next owner, which then has it.
_RELEASED_SECONDS = 60.0
_ATTACH_SECONDS = 4.0


@dataclass(slots=True)
class _Ingest:
    """The ingest of one device at the SFU."""

    has_audio: bool
    answer: dict[str, Any] | None = None
    is_changed: bool = False
    needs_fresh_ports: bool = False
    viewers: int = 0
    packets: int = -1
    packets_at: float = field(default_factory=time.monotonic)


class MediasoupWebrtcOutput(DirectOutput):
    """Sends RTP to the SFU. Rooms outlive FFmpeg and this worker; ports and SSRCs stay the same."""

    name = "mediasoup_webrtc"

    def __init__(self, context: OutputContext) -> None:
        self._loop = context.loop
        self._stall_seconds = context.config.stall_seconds
        self._ingests: dict[str, _Ingest] = {}
        self._released: dict[str, float] = {}
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
        """Open the ingest and return arguments for its ports. Raises SfuUnreachable if it never had any."""
        plan = plan_video(inputs)
        known = self._ingests.get(device.id)
        ingest = _Ingest(has_audio=inputs.main.audio is not None)
        if known is not None and known.answer is not None and known.has_audio == ingest.has_audio:
            ingest.answer, ingest.viewers, ingest.needs_fresh_ports = (
                known.answer,
                known.viewers,
                known.needs_fresh_ports,
            )
        self._ingests[device.id] = ingest
        self._released.pop(device.id, None)
        try:
            ingest.answer = self._run(self._open_first(device.id, ingest))
        except SfuUnreachable:
            # The SFU is away, but will get the same ports when it is back.
            if ingest.answer is None:
                raise
            for track in ("video", "audio"):
                (ingest.answer.get(track) or {}).pop("sequence", None)
        arguments = build_video_arguments(plan, inputs.main, TrackPorts.from_answer(ingest.answer["video"]))
        if ingest.has_audio and ingest.answer.get("audio"):
            arguments += build_audio_arguments(TrackPorts.from_answer(ingest.answer["audio"]))
        return OutputArguments(tuple(arguments), plan.mode, plan.reason if plan.mode != OutputMode.COPY else None)

    def check(self, device_id: str) -> str | None:
        """Restart FFmpeg for new ports, after the SFU came back, or if no RTP arrives there."""
        ingest = self._ingests.get(device_id)
        if ingest is None or not self._control.is_connected:
            return None
        if ingest.answer is None or ingest.is_changed:
            return "output_changed"
        if time.monotonic() - ingest.packets_at > self._stall_seconds:
            ingest.needs_fresh_ports = True
            return "output_stalled"
        return None

    def figures(self, device_id: str) -> dict[str, Any]:
        ingest = self._ingests.get(device_id)
        return {"viewers": ingest.viewers if ingest else 0}

    def release(self, device_id: str) -> None:
        """Forget the device; its room stays for the next owner, until `close_room` or for a minute."""
        if device_id in self._ingests:
            self._released[device_id] = time.monotonic()
            self._ingests.pop(device_id, None)

    def close_room(self, device_id: str) -> None:
        """Close the room of a stopped stream at the SFU. Does not wait."""
        self._ingests.pop(device_id, None)
        self._released.pop(device_id, None)
        asyncio.run_coroutine_threadsafe(self._close_room(device_id), self._loop)

    def close(self) -> None:
        self._poller.cancel()
        self._control.close()

    # ---- on the loop -------------------------------------------------------------------------------------------

    async def _open_first(self, device_id: str, ingest: _Ingest) -> dict[str, Any]:
        """Open the ingest, once a worker and an SFU that start together have connected.

        Otherwise FFmpeg would start without the output, and be restarted for it seconds later.
        """
        await self._control.wait_for_start()
        return await self._open(device_id, ingest)

    async def _open(self, device_id: str, ingest: _Ingest) -> dict[str, Any]:
        request: dict[str, Any] = {
            "device_id": device_id,
            "video": {"codec": "h264"},
            "audio": {"codec": "opus"} if ingest.has_audio else None,
        }
        if ingest.needs_fresh_ports:
            request["fresh"] = True
        elif ingest.answer is not None:
            request["ports"] = {
                kind: {
                    name: ingest.answer[kind][name]
                    for name in ("rtp_port", "rtcp_port", "source_rtp_port", "source_rtcp_port")
                }
                for kind in ("video", "audio")
                if ingest.answer.get(kind)
            }
        answer = await self._control.request("ingest.open", request)
        ingest.needs_fresh_ports = False
        ingest.packets, ingest.packets_at = -1, time.monotonic()
        return answer

    async def _resync(self) -> None:
        """Send all rooms after each connection: the SFU may have restarted, or may hold rooms that this worker left."""
        ingests = dict(self._ingests)
        await self._request_resync()
        for device_id, ingest in ingests.items():
            if ingest.answer is None:
                continue
            before = _ports(ingest.answer)
            try:
                ingest.answer = await self._open(device_id, ingest)
            except SfuRefused as error:
                # A device that the SFU refuses does not affect the others.
                log.warning("device %s: %s", device_id, error)
                ingest.answer = None
                continue
            if _ports(ingest.answer) != before:
                log.warning("device %s: the SFU could not keep its ports", device_id)
                ingest.is_changed = True

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
        """Request the number of arrived packets, to detect stalled outputs; close rooms that were left open."""
        next_resync_at = time.monotonic() + _RESYNC_SECONDS
        while True:
            await asyncio.sleep(_POLL_SECONDS)
            now = time.monotonic()
            if self._control.is_connected and now >= next_resync_at:
                next_resync_at = now + _RESYNC_SECONDS
                with contextlib.suppress(VasError):
                    await self._request_resync()
            if not self._control.is_connected or not self._ingests:
                for ingest in self._ingests.values():
                    ingest.packets_at = now
                continue
            try:
                answer = await self._control.request("ingest.stats", {"device_ids": list(self._ingests)})
            except VasError as error:
                log.debug("no statistics from the SFU: %s", error)
                continue
            try:
                self._read_statistics(answer, now)
            except Exception:
                # If polling ended, every device would seem to have stalled.
                log.exception("the statistics of the SFU cannot be read")

    def _read_statistics(self, answer: dict[str, Any], now: float) -> None:
        for device_id, statistics in answer.items():
            ingest = self._ingests.get(device_id)
            if ingest is None or not statistics:
                continue
            ingest.viewers = int(statistics.get("viewers") or 0)
            packets = int((statistics.get("video") or {}).get("packets") or 0)
            if packets != ingest.packets:
                ingest.packets, ingest.packets_at = packets, now

    def _on_event(self, event: str, data: dict[str, Any]) -> None:
        ingest = self._ingests.get(str(data.get("device_id")))
        if ingest is None:
            return
        if event == "viewers":
            ingest.viewers = int(data.get("viewers") or 0)
        elif event == "ingest.lost":
            log.warning("device %s: the SFU lost its room: %s", data.get("device_id"), data.get("reason"))
            ingest.is_changed = True

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


def _ports(answer: dict[str, Any]) -> list[Any]:
    return [TrackPorts.from_answer(answer[kind]) if answer.get(kind) else None for kind in ("video", "audio")]
