"""Keeps the direct outputs of one device attached, beside its stream, which never waits for them."""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from gateway.errors import PluginError
from gateway.isolation.guard import GUARD
from gateway.media import SourceInfo
from gateway.outputs import DeviceContext, DirectOutput, OutputArguments, PipelineInputs
from gateway.redis_values import is_number, is_text
from workers.backoff import Backoff
from workers.ingest.takers import TAKER_FAILED
from workers.streams.output_calls import ATTACH, OutputCalls, plugin_of

_MAX_PAUSE_SECONDS = 60.0
_SUB_SECONDS = 8.0
#: An output whose `attach` takes longer is shown with that.
_SLOW_SECONDS = 10.0
_MOST_FIGURES = 20


@dataclass(slots=True)
class _Kept:
    """One output: what it asked for, or why it is not attached."""

    output: DirectOutput
    arguments: OutputArguments | None = None
    problem: str | None = "not attached yet"
    attaching: Future | None = None
    asking: Future | None = None
    figures: dict[str, Any] = field(default_factory=dict)
    check_problem: str | None = None
    begun_at: float = 0.0
    is_stale: bool = True
    next_try: float = 0.0
    attached_at: float = 0.0
    backoff: Backoff = field(
        default_factory=lambda: Backoff(max_seconds=_MAX_PAUSE_SECONDS, forgive_seconds=60, first_seconds=0.5)
    )


class OutputKeeper:
    """Attaches outputs by `calls`, in their threads, and again after a pause that grows when they fail.

    `set_output(name, arguments)` hands what an output needs to the ingest; None leaves it out.
    """

    def __init__(
        self,
        device: DeviceContext,
        outputs: list[DirectOutput],
        calls: OutputCalls,
        *,
        set_output: Callable[[str, OutputArguments | None], None],
        find_sub: Callable[[float], SourceInfo | None],
    ) -> None:
        self._device = device
        self._calls = calls
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

    def tick(self, now: float, problems: Mapping[str, str | None] = MappingProxyType({})) -> None:
        """Take the results of threads, and ask outputs whether they are well. Never blocks; call it each second.

        `problems`: as for `describe`.
        """
        for kept in self._kept:
            if (aside := GUARD.aside(plugin_of(kept.output))) is not None:
                self._leave_out(kept, f"set aside: {aside.describe()}")
            elif kept.attaching is not None:
                self._await_attached(kept, now)
            elif kept.is_stale:
                if self._source is not None and now >= kept.next_try:
                    self._begin(kept, now)
            elif (problems.get(kept.output.name) or "").startswith(TAKER_FAILED):
                self._retry(kept, now, was_attached=True)
            else:
                self._ask(kept, now)

    def describe(self, problems: dict[str, str | None]) -> list[dict[str, Any]]:
        """The outputs in the form of the API; `problems` are those of their processes, by name."""
        return [
            {
                "name": kept.output.name,
                "mode": kept.arguments.mode.value if kept.arguments is not None else None,
                "reason": kept.problem
                or kept.check_problem
                or problems.get(kept.output.name)
                or (kept.arguments.reason if kept.arguments is not None else None),
                "plugin": plugin_of(kept.output),
                "figures": kept.figures,
            }
            for kept in self._kept
        ]

    def figures(self) -> dict[str, Any]:
        """The number of viewers of all outputs."""
        viewers = [kept.figures["viewers"] for kept in self._kept if "viewers" in kept.figures]
        return {"viewers": int(sum(viewers))} if viewers else {}

    def _begin(self, kept: _Kept, now: float) -> None:
        output, source = kept.output, self._source
        kept.is_stale, kept.begun_at = False, now
        try:
            kept.attaching = self._calls.submit(output, ATTACH, self._attach, output, source)
        except PluginError as error:
            kept.problem = f"not attached: {error}"
            self._retry(kept, now, was_attached=False)

    def _await_attached(self, kept: _Kept, now: float) -> None:
        if kept.attaching.done():
            self._finish(kept, now)
        elif kept.arguments is None and now - kept.begun_at >= _SLOW_SECONDS:
            kept.problem = f"not attached: 'attach' has not returned for {now - kept.begun_at:.0f} s"

    def _leave_out(self, kept: _Kept, problem: str) -> None:
        if kept.arguments is not None:
            self._set_output(kept.output.name, None)
        kept.arguments, kept.attaching, kept.asking, kept.figures = None, None, None, {}
        kept.problem, kept.is_stale, kept.next_try = problem, True, 0.0

    def _ask(self, kept: _Kept, now: float) -> None:
        """Take the answer to the last questions, otherwise ask again; an output that hangs there stays attached."""
        output = kept.output
        if kept.asking is None:
            try:
                kept.asking = self._calls.submit(output, "check", self._question, output)
            except PluginError:
                return
        if not kept.asking.done():
            return
        future, kept.asking = kept.asking, None
        error = future.exception()
        if error is not None:
            # It is asked each second: the first of many failures is logged.
            if kept.check_problem is None:
                self._log.error("output '%s' failed in its check", output.name, exc_info=error)
            kept.check_problem = f"its check failed: {error}"
            return
        kept.check_problem = None
        code, kept.figures = future.result()
        if code is not None:
            self._log.info("output '%s' is attached again: %s", output.name, code)
            if code == "options_changed":
                kept.is_stale, kept.next_try = True, now  # no failure
            else:
                self._retry(kept, now, was_attached=True)

    def _question(self, output: DirectOutput) -> tuple[str | None, dict[str, Any]]:
        figures: dict[str, Any] = {}
        try:
            figures = _check_figures(output.figures(self._device.id))
        except Exception as error:
            self._log.debug("output '%s' failed to return its live stats", output.name, exc_info=True)
            figures = {"problem": f"figures failed: {error}"[:200]}
        code = output.check(self._device.id)
        return (code if code is None else str(code)[:100]), figures

    def _attach(self, output: DirectOutput, source: SourceInfo) -> OutputArguments:
        found = output.attach(self._device, PipelineInputs(source, lambda: self._find_sub(_SUB_SECONDS)))
        if not isinstance(found, OutputArguments):
            raise TypeError(f"attach returned {type(found).__name__} instead of OutputArguments")
        if found.packets is not None:
            found.packets.plugin = plugin_of(output)
        return found

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


def _check_figures(figures: Any) -> dict[str, Any]:
    """Raises TypeError for what cannot be shown."""
    if not isinstance(figures, dict) or len(figures) > _MOST_FIGURES:
        raise TypeError("the figures must be a short dictionary")
    for name, value in figures.items():
        if not (is_text(name, 60) and (value is None or is_number(value, -(2**53)) or is_text(value, 200))):
            raise TypeError(f"the figure {name!r:.60} must be a number or a short text")
    if not is_number(figures.get("viewers", 0)):
        raise TypeError("'viewers' must be a number")
    return figures


def _for_outputs(source: SourceInfo) -> tuple[Any, ...]:
    """What outputs decide by."""
    video, audio = source.video, source.audio
    return (
        (video.codec, video.width, video.height, video.has_b_frames, video.pixel_format) if video else None,
        (audio.codec, audio.sample_rate, audio.channels) if audio else None,
    )
