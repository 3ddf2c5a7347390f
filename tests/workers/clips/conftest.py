"""A device whose footage is recorded, live on the media bus, or both; bookmarks of it whose clips are made here and
now.
"""

import io
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

import numpy
import pytest
from PIL import Image

from gateway.captures.bookmark_changes import create_bookmark
from gateway.captures.bookmarks import CLIP, Bookmark, BookmarkValues, find_bookmark
from gateway.captures.files import CaptureFiles
from gateway.config import Config
from gateway.hookspecs import hookimpl
from gateway.media import ClipFact, Part
from gateway.redis_client import connect_redis
from gateway.streams.bus import BusWriter
from gateway.streams.model import request_start
from gateway.tenancy.scopes import TenantScope
from tests.cameras.counter import read_counter
from tests.factories import make_device, no_plugins
from tests.playback import Clip, FootageFactory
from workers import facts
from workers.clips.clips import run_clip
from workers.job_runner import JobRunner

BOOKMARK_ID = "b00c0000-0000-4000-8000-0000000000%02d"


@dataclass
class World:
    """One device. Times in milliseconds since 1970, UTC."""

    config: Config
    scope: TenantScope
    footage: FootageFactory
    clip_facts: list[tuple[str, ClipFact]]
    threads: list[threading.Thread] = field(default_factory=list)
    _count: int = 0

    @property
    def device_id(self) -> str:
        return self.footage.device_id

    @property
    def files(self) -> CaptureFiles:
        return CaptureFiles.from_config(self.config)

    def writer(self) -> BusWriter:
        """The one owner of the device's live footage."""
        client = connect_redis(self.config.bus_redis_url)
        return BusWriter(client, self.device_id, window_seconds=60, max_bytes=1 << 26)

    def publish(
        self, writer: BusWriter, clip: Clip, start_ms: int, *, run: int = 1, first: int = 0, last: int | None = None
    ) -> None:
        """Put the parts from `first` up to, but not including, `last` of a run that begins at `start_ms` on the bus."""
        if first == 0:
            writer.open_run(run, clip.init)
        for number, part in list(enumerate(clip.parts))[first:last]:
            start = start_ms / 1000 + part.start - clip.parts[0].start
            writer.publish(
                Part(
                    self.device_id,
                    run,
                    number + 1,
                    start,
                    part.duration,
                    part.is_key,
                    part.frames,
                    part.data,
                    part.has_audio,
                )
            )

    def mark(self, at_ms: int, before: float = 1.0, after: float = 1.0) -> Bookmark:
        """A bookmark with its queued job; lengths in seconds."""
        self._count += 1
        values = BookmarkValues(at_ms, "Delivery", before_ms=round(before * 1000), after_ms=round(after * 1000))
        return create_bookmark(
            self.scope, BOOKMARK_ID % self._count, values, device_id=self.device_id, device_name="Gate", asked={}
        )[0]

    def run(self, bookmark: Bookmark, kinds: dict[str, Any] | None = None) -> Bookmark:
        """The bookmark after its job was run."""
        JobRunner(self.config, "test:1", kinds or {CLIP: run_clip}, BoundedSemaphore(1)).run(bookmark.clip_job_id)
        return find_bookmark(self.scope, bookmark.id)

    def begin(self, bookmark: Bookmark) -> threading.Thread:
        """Run its job in a thread of its own; `request_start` lets it wait for further parts."""
        thread = threading.Thread(target=self.run, args=(bookmark,))
        self.threads.append(thread)
        thread.start()
        return thread

    def start_stream(self) -> None:
        """Set the desired state to running, so that clips wait for further parts."""
        request_start(self.scope, self.device_id)

    def movie_of(self, bookmark: Bookmark) -> Path:
        """The file of a clip that is ready."""
        assert bookmark.clip_state == "ready", (bookmark.clip_reason_code, bookmark.clip_reason_message)
        path = self.files.path(bookmark.clip_file)
        assert path.stat().st_size == bookmark.clip_size
        return path

    def poster_number(self, bookmark: Bookmark) -> int | None:
        """The number drawn into the poster."""
        picture = Image.open(io.BytesIO(self.files.read(bookmark.poster_file))).convert("L")
        return read_counter(numpy.asarray(picture))

    def names(self) -> list[str]:
        """All files of clips, including unfinished ones."""
        root = self.files.root / "clips"
        return sorted(path.name for path in root.rglob("*") if path.is_file()) if root.exists() else []


def now_ms() -> int:
    return int(time.time() * 1000)


@pytest.fixture
def clip_facts(monkeypatch) -> list[tuple[str, ClipFact]]:
    """The facts that `on_clip` received."""
    heard: list[tuple[str, ClipFact]] = []

    class Listener:
        @hookimpl
        def on_clip(self, device_id: str, clip: ClipFact) -> None:
            heard.append((device_id, clip))

    manager = no_plugins()
    manager.register(Listener())
    monkeypatch.setattr(facts, "_plugins", lambda: manager)
    return heard


@pytest.fixture
def world(bound_database, config: Config, scope: TenantScope, box, clip_facts) -> Iterator[World]:
    footage = FootageFactory(config, scope, make_device(scope, box).id)
    world = World(config, scope, footage, clip_facts)
    yield world
    for thread in world.threads:
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture
def notes_of() -> Callable[[Bookmark], list[str]]:
    import json

    return lambda bookmark: json.loads(bookmark.clip_notes)
