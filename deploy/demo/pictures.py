"""Encoder input: a thread that pushes drawn pictures into a running pipeline at the camera's frame rate."""

from __future__ import annotations

import threading
import time

from cameras import Camera
from gi.repository import Gst
from painter import Painter
from pipeline import build_picture_caps


class EncoderInput:
    """Draws from `start()` to `stop()`. Frames that would be late are dropped, as by a camera."""

    def __init__(self, camera: Camera, pipeline: Gst.Bin) -> None:
        self.frames = 0
        self.is_frozen = False
        self._camera = camera
        self._source = pipeline.get_by_name("picture")
        sound = pipeline.get_by_name("sound")
        if sound:
            # A seekable test sound would make the RTSP server seek at PLAY, which the live picture refuses.
            sound.get_static_pad("src").add_probe(Gst.PadProbeType.QUERY_UPSTREAM, _refuse_seeking)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"pictures {camera.path}", daemon=True)

    def start(self) -> None:
        """Start pushing pictures."""
        self._thread.start()

    def resize(self, camera: Camera) -> None:
        """Use another width and height from the next frame on."""
        self._camera = camera

    def stop(self) -> None:
        """Stop pushing pictures. Does not wait for the thread, because the caller may hold the pipeline's lock."""
        self._stop.set()

    def _run(self) -> None:
        camera = self._camera
        painter = Painter(camera)
        due = time.monotonic()
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            if camera is not self._camera:
                camera = self._camera
                painter = Painter(camera)
                self._source.set_property("caps", Gst.Caps.from_string(build_picture_caps(camera)))
            if not self.is_frozen and self._is_playing():
                buffer = Gst.Buffer.new_wrapped(painter.paint())
                buffer.duration = Gst.SECOND // camera.fps
                if self._source.emit("push-buffer", buffer) != Gst.FlowReturn.OK:
                    return
                self.frames += 1
            interval = 1 / camera.fps
            due += interval
            late = time.monotonic() - due
            if late > 0:
                due += interval * (int(late / interval) + 1)

    def _is_playing(self) -> bool:
        # Before that, the source briefly has a clock but no base time: a picture with a timestamp of that moment would
        # be due hours later, and all following ones would wait for it.
        _, state, _ = self._source.get_state(0)
        return state == Gst.State.PLAYING


def _refuse_seeking(_pad: Gst.Pad, info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
    is_about_seeking = info.get_query().type == Gst.QueryType.SEEKING
    return Gst.PadProbeReturn.DROP if is_about_seeking else Gst.PadProbeReturn.OK
