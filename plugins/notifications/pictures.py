"""The picture of a notification: the snapshot of its event, otherwise the newest picture of the camera."""

import io
import logging
import uuid

from PIL import Image

from gateway.captures.files import CaptureFiles
from gateway.captures.queue import POSTER, CaptureQueue, CaptureRequest
from gateway.captures.snapshot_lists import find_snapshot
from gateway.plugin_api import Config, EveryTenantScope, NotFound, VasError

log = logging.getLogger(__name__)

WIDTH = 640
_WAIT_SECONDS = 5.0
#: A snapshot of more bytes is scaled down before it is sent.
_MAX_BYTES = 300_000


class Pictures:
    """Finds pictures; every failure means no picture."""

    def __init__(self, config: Config) -> None:
        self._files = CaptureFiles.from_config(config)
        self._queue = CaptureQueue.connect(config)

    def of_event(self, scope: EveryTenantScope, device_id: str | None, snapshot_id: str | None) -> bytes | None:
        """A JPEG for an event of a device, None without."""
        if snapshot_id is not None:
            try:
                return shrink(self._files.read(find_snapshot(scope, snapshot_id).file))
            except (NotFound, OSError, ValueError):
                log.info("snapshot %s has no file for its notification", snapshot_id)
        return None if device_id is None else self.newest(scope.tenant_id, device_id)

    def newest(self, tenant_id: str | None, device_id: str) -> bytes | None:
        """The newest picture of a camera, None if none can be had now."""
        if tenant_id is None:
            return None
        request = CaptureRequest(
            id=str(uuid.uuid4()), what=POSTER, tenant_id=tenant_id, device_id=device_id, width=WIDTH
        )
        try:
            answer = self._queue.request(request, wait_seconds=_WAIT_SECONDS)
        except VasError as error:
            log.info("no picture of device %s: %s", device_id, error)
            return None
        return (answer.picture or None) if answer is not None else None


def shrink(picture: bytes) -> bytes:
    """A JPEG, scaled down if it is large. Raises OSError or ValueError for what is no picture."""
    if len(picture) <= _MAX_BYTES:
        return picture
    with Image.open(io.BytesIO(picture)) as image:
        image.draft("RGB", (2 * WIDTH, 2 * WIDTH))
        image.thumbnail((2 * WIDTH, 2 * WIDTH))
        target = io.BytesIO()
        image.convert("RGB").save(target, "JPEG", quality=80)
        return target.getvalue()
