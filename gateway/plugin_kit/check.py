"""Checks a plugin: its project and sources here, what it does in a child process with a deadline."""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import gateway
from gateway.plugin_kit.findings import ERROR, Finding, Report
from gateway.plugin_kit.project import Project, open_project
from gateway.plugin_kit.source_check import check_sources, find_sources

#: Longest time of one step of a plugin, such as its import.
STEP_SECONDS = 30.0
_MOST_FINDINGS = 200
_MOST_OUTPUT = 2000


def check_target(target: str, *, step_seconds: float = STEP_SECONDS) -> list[Report]:
    """Check the plugins of a folder, or an installed one."""
    project = open_project(target)
    reports = [Report("", tuple(project.findings))] if project.findings else []
    for name, value in project.points.items():
        findings = [*_check_sources(project, value), *inspect_plugin(project, name, value, step_seconds=step_seconds)]
        # What the sources say already is not said twice.
        unique = {(one.level, one.message, one.file, one.line): one for one in findings}
        reports.append(Report(name, tuple(unique.values())[:_MOST_FINDINGS]))
    return reports


def _check_sources(project: Project, value: str) -> list[Finding]:
    folders = project.folders or [Path(one) for one in sys.path if one]
    return [one for one in check_sources(find_sources(value, folders), value) if one.level != ERROR]


def inspect_plugin(project: Project, name: str, value: str, *, step_seconds: float) -> list[Finding]:
    """What the child process finds in a plugin, and what becomes of that process."""
    with tempfile.TemporaryDirectory(prefix="vas-check-", ignore_cleanup_errors=True) as scratch:
        request = {
            "name": name,
            "value": value,
            "package": project.package,
            "folders": [str(one.resolve()) for one in project.folders],
            "scratch": scratch,
        }
        with (Path(scratch) / "output").open("w+b") as output:
            child = _Child(request, output)
            try:
                problem = child.follow(step_seconds)
            finally:
                child.end()
            if problem is not None:
                remedy = _last_lines(output)
                child.findings.append(Finding(ERROR, problem, f"it wrote: {remedy}" if remedy else ""))
        return child.findings


class _Child:
    """The process that runs the plugin, in a process group of its own."""

    def __init__(self, request: dict[str, Any], output: Any) -> None:
        self.findings: list[Finding] = []
        self._step = "its start"
        self._is_done = False
        reading, writing = os.pipe()
        self._reading = reading
        root = str(Path(gateway.__file__).parents[1])
        paths = [root, os.environ.get("PYTHONPATH", "")]
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "gateway.plugin_kit.inspection", str(writing)],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            pass_fds=(writing,),
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), "PYTHONDONTWRITEBYTECODE": "1"},
        )
        os.close(writing)
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()

    def follow(self, step_seconds: float) -> str | None:
        """Read the messages to the end; returns why the process did not come to its end, or None."""
        buffer, deadline = b"", time.monotonic() + max(step_seconds, STEP_SECONDS)
        with selectors.DefaultSelector() as selector:
            selector.register(self._reading, selectors.EVENT_READ)
            while not self._is_done:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    return f"{self._step} did not end within {step_seconds:g} s"
                data = os.read(self._reading, 1 << 16)
                if not data:
                    return self._describe_end()
                *lines, buffer = (buffer + data).split(b"\n")
                for line in lines:
                    self._take(line)
                if lines:
                    deadline = time.monotonic() + step_seconds
        return None

    def _take(self, line: bytes) -> None:
        """One message; what is none comes from the plugin."""
        with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):
            message = json.loads(line)
            self._step = message.get("step", self._step)
            self._is_done |= message.get("done", False)
            if "finding" in message and len(self.findings) < _MOST_FINDINGS:
                self.findings.append(Finding(**message["finding"]))

    def _describe_end(self) -> str:
        try:
            code = self._process.wait(2)
        except subprocess.TimeoutExpired:
            return f"{self._step} closed the files of its process"
        if code < 0:
            with contextlib.suppress(ValueError):
                return f"{self._step} ended the process by {signal.Signals(-code).name}"
        return f"{self._step} ended the process (exit code {code})"

    def end(self) -> None:
        """Kill what is left. May be called twice."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process.stdin.close()
        if self._reading >= 0:
            os.close(self._reading)
            self._reading = -1


def _last_lines(output: Any) -> str:
    """The end of what the process has written, in one line."""
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - _MOST_OUTPUT))
    text = output.read().decode("utf-8", "replace")
    return " | ".join(line.strip() for line in text.splitlines()[-3:] if line.strip())
