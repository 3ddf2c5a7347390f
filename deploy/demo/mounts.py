"""The RTSP server and its mount points: adding, removing and changing cameras, and simulating their failures."""

from __future__ import annotations

import time
from collections import deque

from access import CameraAccess, build_permissions
from cameras import Camera, CameraError, change_camera
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer
from pictures import EncoderInput
from pipeline import build_launch


class PortTakenError(OSError):
    """Another program listens on the port, which the message names."""


class Mount:
    """Current state of one camera: settings, encoder input, clients, and whether it is unavailable."""

    def __init__(self, camera: Camera) -> None:
        self.camera = camera
        self.is_away = False
        self.is_frozen = False
        self.connections = 0
        self.most_clients = 0
        self.clients: set[GstRtspServer.RTSPClient] = set()
        self.encoder_input: EncoderInput | None = None
        self.factory: GstRtspServer.RTSPMediaFactory | None = None
        self.outage_timer = 0
        #: Presentation times, in seconds of the encoder's clock, of the newest key frames that were sent.
        self.key_frame_times: deque[float] = deque(maxlen=64)


class CameraMounts:
    """Any number of cameras on one port. All methods run on GLib's main thread; `close()` may be called twice."""

    def __init__(self, host: str, port: int) -> None:
        """Start listening; `port` 0 selects a free port. Raises PortTakenError."""
        self._mounts: dict[str, Mount] = {}
        self._clients: set[GstRtspServer.RTSPClient] = set()
        self._access = CameraAccess(self._find_camera)
        self._server = GstRtspServer.RTSPServer(address=host, service=str(port))
        self._server.set_auth(self._access)
        self._server.connect("client-connected", self._on_client)
        self._source = self._server.attach(None)
        if not self._source:
            raise PortTakenError(
                f"cannot listen on {host}:{port}; stop the program that uses the port, or choose another"
            )
        self.port: int = self._server.get_bound_port()
        self._sweep = GLib.timeout_add_seconds(5, self._sweep_sessions)

    @property
    def paths(self) -> list[str]:
        """Paths of all cameras, in the order in which they were added."""
        return list(self._mounts)

    def add(self, camera: Camera) -> None:
        """Add a camera. Raises CameraError when the path is taken or its user has another password elsewhere."""
        if camera.path in self._mounts:
            raise CameraError(f"there is already a camera at {camera.path!r}; change or remove it")
        self._access.allow(camera)
        mount = Mount(camera)
        self._mounts[camera.path] = mount
        self._publish(mount)
        if camera.outage_every_seconds:
            mount.outage_timer = GLib.timeout_add(250, self._follow_outages, mount)

    def remove(self, path: str) -> None:
        """Remove a camera: disconnect its clients; its path then answers 404. Raises CameraError when it is unknown."""
        mount = self._find(path)
        del self._mounts[path]
        if mount.outage_timer:
            GLib.source_remove(mount.outage_timer)
        self._server.get_mount_points().remove_factory(path)
        self._disconnect_clients(mount)
        self._forbid(mount.camera)

    def change(self, path: str, values: dict) -> None:
        """Change settings, as in a camera's menu: clients are disconnected and may reconnect."""
        mount = self._find(path)
        camera = change_camera(mount.camera, {**values, "path": path})
        self._forbid(mount.camera)
        try:
            self._access.allow(camera)
        except CameraError:
            self._access.allow(mount.camera)
            raise
        mount.camera = camera
        self._server.get_mount_points().remove_factory(path)
        self._disconnect_clients(mount)
        self._publish(mount)

    def resize(self, path: str, width: int, height: int) -> None:
        """Change the resolution in the running stream; clients stay connected."""
        mount = self._find(path)
        mount.camera = change_camera(mount.camera, {"width": width, "height": height})
        if mount.encoder_input:
            mount.encoder_input.resize(mount.camera)
        if mount.factory:
            mount.factory.set_launch(build_launch(mount.camera))

    def set_away(self, path: str, is_away: bool) -> None:
        """Simulate an outage: disconnect clients, and answer requests with 503 until it ends."""
        mount = self._find(path)
        mount.is_away = is_away
        if is_away:
            self._disconnect_clients(mount)

    def set_frozen(self, path: str, is_frozen: bool) -> None:
        """Simulate a freeze: clients stay connected, but get no more pictures; sound, if any, continues."""
        mount = self._find(path)
        mount.is_frozen = is_frozen
        if mount.encoder_input:
            mount.encoder_input.is_frozen = is_frozen

    def describe(self) -> dict[str, dict]:
        """Return the state by path: connections and most clients so far, current clients, frames of this encoder, and
        the times of the key frames that the newest encoder sent."""
        return {
            path: {
                "connections": mount.connections,
                "clients": len(mount.clients),
                "most_clients": mount.most_clients,
                "frames": mount.encoder_input.frames if mount.encoder_input else 0,
                "is_encoding": mount.encoder_input is not None,
                "is_away": mount.is_away,
                "is_frozen": mount.is_frozen,
                "key_frame_times": list(mount.key_frame_times),
            }
            for path, mount in self._mounts.items()
        }

    def close(self) -> None:
        """Disconnect all clients and stop listening."""
        for path in list(self._mounts):
            self.remove(path)
        if self._source:
            GLib.source_remove(self._source)
            GLib.source_remove(self._sweep)
            self._source = 0

    def _find(self, path: str) -> Mount:
        mount = self._mounts.get(path)
        if mount is None:
            raise CameraError(f"there is no camera at {path!r}; the cameras are {', '.join(self._mounts) or 'none'}")
        return mount

    def _find_mount(self, url_path: str) -> Mount | None:
        """Find the camera of a URL's path, which in SETUP ends with the track's name."""
        for path, mount in self._mounts.items():
            if url_path == path or url_path.startswith(path + "/"):
                return mount
        return None

    def _find_camera(self, url_path: str) -> Camera | None:
        mount = self._find_mount(url_path)
        return mount.camera if mount else None

    def _publish(self, mount: Mount) -> None:
        camera = mount.camera
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(build_launch(camera))
        factory.set_shared(True)
        factory.set_latency(0)
        factory.set_eos_shutdown(False)
        factory.set_permissions(build_permissions(camera))
        factory.connect("media-configure", self._on_media, mount)
        mount.factory = factory
        self._server.get_mount_points().add_factory(camera.path, factory)

    def _on_media(self, _factory: object, media: GstRtspServer.RTSPMedia, mount: Mount) -> None:
        """Start the encoder for the first client. It stops when the last client disconnects."""
        encoder_input = EncoderInput(mount.camera, media.get_element())
        encoder_input.is_frozen = mount.is_frozen
        mount.encoder_input = encoder_input
        mount.key_frame_times.clear()
        payloader = media.get_element().get_by_name("pay0")
        payloader.get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, _note_key_frame, mount.key_frame_times)

        def stop(_media: object) -> None:
            encoder_input.stop()
            if mount.encoder_input is encoder_input:
                mount.encoder_input = None

        media.connect("unprepared", stop)
        encoder_input.start()

    def _on_client(self, _server: object, client: GstRtspServer.RTSPClient) -> None:
        self._clients.add(client)
        client.connect("closed", self._on_client_closed)
        client.connect("pre-describe-request", self._on_request)
        client.connect("pre-setup-request", self._on_request)

    def _on_request(
        self, client: GstRtspServer.RTSPClient, context: GstRtspServer.RTSPContext
    ) -> GstRtsp.RTSPStatusCode:
        mount = self._find_mount(context.uri.abspath)
        if mount is None:
            return GstRtsp.RTSPStatusCode.OK  # the server itself responds with 404
        if client not in mount.clients:
            mount.clients.add(client)
            mount.connections += 1
            mount.most_clients = max(mount.most_clients, len(mount.clients))
        return GstRtsp.RTSPStatusCode.SERVICE_UNAVAILABLE if mount.is_away else GstRtsp.RTSPStatusCode.OK

    def _on_client_closed(self, client: GstRtspServer.RTSPClient) -> None:
        self._clients.discard(client)
        for mount in self._mounts.values():
            mount.clients.discard(client)

    def _disconnect_clients(self, mount: Mount) -> None:
        for client in list(mount.clients):
            client.close()
        mount.clients.clear()

    def _follow_outages(self, mount: Mount) -> bool:
        camera = mount.camera
        if not camera.outage_every_seconds:
            mount.outage_timer = 0
            return False
        is_away = time.time() % camera.outage_every_seconds >= camera.outage_every_seconds - camera.outage_seconds
        if is_away != mount.is_away:
            self.set_away(camera.path, is_away)
        return True

    def _forbid(self, camera: Camera) -> None:
        is_shared = any(
            mount.camera.user == camera.user for mount in self._mounts.values() if mount.camera is not camera
        )
        if not is_shared:
            self._access.forbid(camera)

    def _sweep_sessions(self) -> bool:
        self._server.get_session_pool().cleanup()
        return True


def _note_key_frame(_pad: Gst.Pad, info: Gst.PadProbeInfo, times: deque[float]) -> Gst.PadProbeReturn:
    frame = info.get_buffer()
    if not frame.has_flags(Gst.BufferFlags.DELTA_UNIT):
        times.append(frame.pts / Gst.SECOND)
    return Gst.PadProbeReturn.OK
