"""A fake snapshot worker that draws pictures instead of decoding footage, and answers over the real queue."""

import io
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from PIL import Image

from gateway.captures.files import SNAPSHOTS, CaptureFiles
from gateway.captures.queue import POSTER, CaptureAnswer, CaptureQueue, CaptureRequest
from gateway.captures.snapshots import NewSnapshot, save_snapshot
from gateway.config import Config
from gateway.inventory import find_device
from gateway.leases import SNAPSHOT, WorkerSlots
from gateway.redis_client import connect_redis
from gateway.tenancy.scopes import TenantScope


def draw_picture(width: int = 1280, height: int = 720, color: str = "navy") -> bytes:
    """A JPEG of one colour."""
    written = io.BytesIO()
    Image.new("RGB", (width, height), color).save(written, "JPEG")
    return written.getvalue()


def keep_picture(config: Config, request: CaptureRequest, at_ms: int, picture: bytes | None = None) -> NewSnapshot:
    """Store a picture as a worker does: its file, then its row."""
    picture = draw_picture() if picture is None else picture
    scope = TenantScope(request.tenant_id)
    key = CaptureFiles.key(SNAPSHOTS, request.tenant_id, f"{request.id}.jpg")
    CaptureFiles.from_config(config).write(key, picture)
    new = NewSnapshot(
        id=request.id,
        device_id=request.device_id,
        device_name=find_device(scope, request.device_id).name,
        at_ms=at_ms,
        kind=request.kind,
        width=1280,
        height=720,
        size=len(picture),
        file=key,
        tags=request.tags,
        note=request.note,
        created_by=request.created_by,
        schedule_id=request.schedule_id,
    )
    save_snapshot(scope, new)
    return new


@dataclass
class FakeSnapshotWorker:
    """Answers each request with `reply`, which a test may replace; by default a live picture."""

    config: Config
    reply: Callable[[CaptureRequest], CaptureAnswer | None] | None = None
    asked: list[CaptureRequest] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "FakeSnapshotWorker":
        self._client = connect_redis(self.config.redis_url, timeout_seconds=5)
        WorkerSlots(self._client).report(SNAPSHOT, "fake", 0, 2)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(10)
        WorkerSlots(self._client).withdraw(SNAPSHOT, "fake")
        self._client.close()

    def _run(self) -> None:
        queue = CaptureQueue(self._client)
        while not self._ended.is_set():
            request = queue.take(wait_seconds=0.1)
            if request is None:
                continue
            self.asked.append(request)
            answer = (self.reply or self.take_picture)(request)
            if answer is not None:
                queue.answer(request.id, answer)

    def take_picture(self, request: CaptureRequest) -> CaptureAnswer:
        """The answer for a device that sends, or that was recorded."""
        at_ms = int(time.time() * 1000) if request.at_ms is None else request.at_ms
        if request.what == POSTER:
            return CaptureAnswer(at_ms=at_ms, picture=draw_picture(request.width, request.width * 9 // 16))
        keep_picture(self.config, request, at_ms)
        return CaptureAnswer(at_ms=at_ms)
