"""Keeps the direct outputs of one device attached, beside its stream, which never waits for them."""

import logging
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Any

from gateway.media import SourceInfo
from gateway.outputs import DeviceContext, DirectOutput, OutputArguments, PipelineInputs
from workers.backoff import Backoff

_MAX_PAUSE_SECONDS = 60.0
_SUB_SECONDS = 8.0


@dataclass(slots=True)
class _Kept:
    """One output: what it asked for, or why it is not attached."""

    output: DirectOutput
    arguments: OutputArguments | None = None
    problem: str | None = "not attached yet"
    attaching: Future | None = None
    is_stale: bool = True
    next_try: float = 0.0
    attached_at: float = 0.0
    backoff: Backoff = field(
        default_factory=lambda: Backoff(max_seconds=_MAX_PAUSE_SECONDS, forgive_seconds=60, first_seconds=0.5)
    )


class OutputKeeper:
    """Attaches outputs in the threads of `executor`, and again after a pause that grows when they fail.

    `set_output(name, arguments)` hands what an output needs to the ingest; None leaves it out.
    """

    def __init__(
        self,
        device: DeviceContext,
        outputs: list[DirectOutput],
        executor: Executor,
        *,
        set_output: Callable[[str, OutputArguments | None], None],
        find_sub: Callable[[float], SourceInfo | None],
    ) -> None:
        self._device = device
        self._executor = executor
        self._set_output = set_output
        self._find_sub = find_sub
        self._kept = [_Kept(output) for output in outputs]
        self._source: SourceInfo | None = None
        self._log = logging.getLogger(f"vas.stream.{device.id}")

    def use_source(self, source: SourceInfo) -> None:
        """The stream of the camera is known, or has changed: outputs may need something else."""
        before, self._source = self._source, source
        if before is None or _for_outputs(before) != _for_outputs(source):
            for kept in self._kept:
                kept.is_stale, kept.next_try = True, 0.0

    def tick(self, now: float) -> None:
        """Take the results of threads, and ask outputs whether they are well. Never blocks; call it each second."""
        for kept in self._kept:
            if kept.attaching is not None:
                if kept.attaching.done():
                    self._finish(kept, now)
            elif kept.is_stale:
                if self._source is not None and now >= kept.next_try:
                    kept.is_stale = False
                    kept.attaching = self._executor.submit(self._attach, kept.output, self._source)
            elif (code := self._check(kept.output)) is not None:
                self._log.info("output '%s' is attached again: %s", kept.output.name, code)
                self._retry(kept, now, was_attached=True)

    def describe(self, problems: dict[str, str | None]) -> list[dict[str, str | None]]:
        """The outputs in the form of the API; `problems` are those of their processes, by name."""
        return [
            {
                "name": kept.output.name,
                "mode": kept.arguments.mode.value if kept.arguments is not None else None,
                "reason": kept.problem
                or problems.get(kept.output.name)
                or (kept.arguments.reason if kept.arguments is not None else None),
            }
            for kept in self._kept
        ]

    def figures(self) -> dict[str, Any]:
        """The live figures of all outputs."""
        found: dict[str, Any] = {}
        for kept in self._kept:
            try:
                found.update(kept.output.figures(self._device.id))
            except Exception:
                self._log.exception("output '%s' failed to return its live stats", kept.output.name)
        return found

    def _attach(self, output: DirectOutput, source: SourceInfo) -> OutputArguments:
        return output.attach(self._device, PipelineInputs(source, lambda: self._find_sub(_SUB_SECONDS)))

    def _finish(self, kept: _Kept, now: float) -> None:
        future, kept.attaching = kept.attaching, None
        try:
            kept.arguments = future.result()
        except Exception as error:
            if kept.problem is None or kept.arguments is not None:
                self._log.warning("output '%s' cannot be attached: %s", kept.output.name, error)
            kept.problem = f"not attached: {error}"
            kept.arguments = None
            self._set_output(kept.output.name, None)
            self._retry(kept, now, was_attached=False)
            return
        kept.problem = None
        kept.attached_at = now
        self._set_output(kept.output.name, kept.arguments)

    def _retry(self, kept: _Kept, now: float, *, was_attached: bool) -> None:
        kept.is_stale = True
        kept.next_try = now + kept.backoff.after(now - kept.attached_at if was_attached else 0.0)

    def _check(self, output: DirectOutput) -> str | None:
        try:
            return output.check(self._device.id)
        except Exception:
            self._log.exception("output '%s' failed in its check", output.name)
            return None


def _for_outputs(source: SourceInfo) -> tuple[Any, ...]:
    """What outputs decide by."""
    video, audio = source.video, source.audio
    return (
        (video.codec, video.width, video.height, video.has_b_frames, video.pixel_format) if video else None,
        (audio.codec, audio.sample_rate, audio.channels) if audio else None,
    )
