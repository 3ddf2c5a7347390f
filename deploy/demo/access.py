"""Access to the cameras: RTSP digest authentication for cameras with a user, none for the others."""

from __future__ import annotations

from collections.abc import Callable

from cameras import Camera, CameraError
from gi.repository import GstRtsp, GstRtspServer


class CameraAccess(GstRtspServer.RTSPAuth):
    """Authenticates the server's clients. A user has one password and may access the cameras with that user."""

    def __init__(self, find_camera: Callable[[str], Camera | None]) -> None:
        """`find_camera` returns the camera of a URL's path, or None."""
        super().__init__()
        self._find_camera = find_camera
        self._passwords: dict[str, str] = {}
        self.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)

    def do_check(self, context: GstRtspServer.RTSPContext, check: str) -> bool:
        """Accept requests for cameras without a user; the base class checks user and permissions for the others."""
        camera = self._find_camera(context.uri.abspath) if context.uri else None
        if camera is None or camera.user is None:
            return True
        return GstRtspServer.RTSPAuth.do_check(self, context, check)

    def allow(self, camera: Camera) -> None:
        """Add the camera's user. Raises CameraError when that user already has another password."""
        if camera.user is None:
            return
        if self._passwords.get(camera.user, camera.password) != camera.password:
            raise CameraError(f"'user' {camera.user!r} already has another password; choose another user")
        self._passwords[camera.user] = camera.password
        token = GstRtspServer.RTSPToken()
        token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, camera.user)
        self.add_digest(camera.user, camera.password, token)

    def forbid(self, camera: Camera) -> None:
        """Remove the camera's user."""
        if camera.user is not None and self._passwords.pop(camera.user, None) is not None:
            self.remove_digest(camera.user)


def build_permissions(camera: Camera) -> GstRtspServer.RTSPPermissions:
    """Build the permissions of the camera's user on its media."""
    permissions = GstRtspServer.RTSPPermissions()
    role = camera.user or "anonymous"
    permissions.add_role(role)
    for permission in (
        GstRtspServer.RTSP_PERM_MEDIA_FACTORY_ACCESS,
        GstRtspServer.RTSP_PERM_MEDIA_FACTORY_CONSTRUCT,
    ):
        permissions.add_permission_for_role(role, permission, True)
    return permissions
