"""Starts the camera server (deploy/demo/camera_server.py) for a test or bench, and changes its cameras while it
runs."""

from __future__ import annotations

import contextlib
import json
import queue
import signal
import subprocess
import threading
from urllib.parse import quote

from gateway.testing.checkout import ROOT

PROGRAM = ROOT / "deploy" / "demo" / "camera_server.py"
SYSTEM_PYTHON = "/usr/bin/python3"  # the only one that has PyGObject
START_SECONDS = 20.0
COMMAND_SECONDS = 10.0


class CameraServerError(RuntimeError):
    """The camera server did not start, ended, or refused a command; the message says which."""


class CameraServer:
    """Real RTSP cameras on a free loopback port, in a separate process that ends with this one.

        with CameraServer() as server:
            url = server.add("/door", codec="h264", audio="aac", key_frame_seconds=2)
            server.set_away("/door", True)

    The settings of a camera are those of `Camera` in deploy/demo/cameras.py. All methods raise CameraServerError.
    """

    def __init__(self, port: int = 0) -> None:
        """`port` 0 takes a free one; it stays the same after `restart()`."""
        self.port = port
        self._cameras: dict[str, dict] = {}
        self._process: subprocess.Popen | None = None
        self._answers: queue.Queue[dict | None] = queue.Queue()
        self._number = 0
        self._lock = threading.Lock()

    def __enter__(self) -> CameraServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """Process id, to measure what the cameras cost."""
        if self._process is None:
            raise CameraServerError("the camera server does not run; call start()")
        return self._process.pid

    def start(self) -> None:
        """Start the process with the cameras that it had before, if any; returns when it listens."""
        if self._process is not None:
            return
        self._answers = queue.Queue()
        # -E: the settings of a virtual environment must not affect the system's Python.
        command = [SYSTEM_PYTHON, "-E", "-u", str(PROGRAM), "--control", "--port", str(self.port)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        reader = threading.Thread(target=_read_lines, args=(self._process, self._answers), daemon=True)
        reader.start()
        try:
            self.port = self._next_answer(START_SECONDS)["port"]
            for path, settings in self._cameras.items():
                self._command("add", camera={"path": path, **settings})
        except CameraServerError:
            self.kill()
            raise

    def add(self, path: str, **settings: object) -> str:
        """Add a camera at `path`; returns its URL, with user and password if it has them."""
        self._command("add", camera={"path": path, **settings})
        self._cameras[path] = settings
        return self.url(path)

    def remove(self, path: str) -> None:
        """Remove the camera: viewers are cut, its path answers 404."""
        self._command("remove", path=path)
        del self._cameras[path]

    def change(self, path: str, **settings: object) -> str:
        """Change settings (codec, resolution, audio=None, password): viewers are cut. Returns the new URL."""
        self._command("change", path=path, values=settings)
        self._cameras[path] = {**self._cameras[path], **settings}
        return self.url(path)

    def resize(self, path: str, width: int, height: int) -> None:
        """Change the resolution in the middle of the stream: viewers stay connected."""
        self._command("resize", path=path, width=width, height=height)
        self._cameras[path] = {**self._cameras[path], "width": width, "height": height}

    def set_away(self, path: str, is_away: bool) -> None:
        """Go away: viewers are cut, and requests get 503, until the camera is back."""
        self._command("away", path=path, is_away=is_away)

    def set_frozen(self, path: str, is_frozen: bool) -> None:
        """Freeze the picture: viewers stay connected and get no picture; sound continues."""
        self._command("freeze", path=path, is_frozen=is_frozen)

    def describe(self) -> dict[str, dict]:
        """By path: connections (in total), clients (now), most_clients, frames, is_encoding, is_away, is_frozen,
        key_frame_times (seconds, of the newest encoder)."""
        return self._command("describe")

    def url(self, path: str) -> str:
        """The camera's URL, with user and password if it has them."""
        settings = self._cameras.get(path, {})
        user, password = settings.get("user"), settings.get("password")
        account = f"{quote(user, safe='')}:{quote(password, safe='')}@" if user else ""
        return f"rtsp://{account}127.0.0.1:{self.port}{path}"

    def pause(self) -> None:
        """SIGSTOP: connections stay open and nothing answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT after `pause()`."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL: connections break, the port is closed. `start()` restores the same cameras."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            # Unwritten data is of no use to a dead process.
            with contextlib.suppress(OSError):
                pipe.close()
        self._process = None

    def restart(self) -> None:
        """Kill and start again on the same port, with the same cameras: a camera that reboots."""
        self.kill()
        self.start()

    def close(self) -> None:
        """End the process; may be called twice."""
        if self._process is None:
            return
        self.resume()
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        self.kill()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def _command(self, do: str, **values: object) -> dict:
        with self._lock:
            if self._process is None:
                raise CameraServerError("the camera server does not run; call start()")
            self._number += 1
            try:
                self._process.stdin.write(json.dumps({"id": self._number, "do": do, **values}) + "\n")
                self._process.stdin.flush()
            except OSError as error:
                raise CameraServerError(f"the camera server has ended: {error}") from error
            answer = self._next_answer(COMMAND_SECONDS)
        if not answer["ok"]:
            raise CameraServerError(answer["error"])
        return answer["data"]

    def _next_answer(self, seconds: float) -> dict:
        try:
            answer = self._answers.get(timeout=seconds)
        except queue.Empty:
            raise CameraServerError(f"the camera server did not answer within {seconds} s") from None
        if answer is None:
            raise CameraServerError("the camera server ended; its message is on stderr")
        return answer


def _read_lines(process: subprocess.Popen, answers: queue.Queue[dict | None]) -> None:
    # ValueError: the pipe was closed by kill().
    with contextlib.suppress(ValueError):
        for line in process.stdout:
            answers.put(json.loads(line))
    answers.put(None)
