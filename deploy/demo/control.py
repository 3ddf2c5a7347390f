"""Commands for a running camera server: JSON lines on stdin, responses on stdout.

Request `{"id": 1, "do": "add", ...}`, response `{"id": 1, "ok": true, "data": ...}` or `{"id": 1, "ok": false,
"error": "..."}`. The first line on stdout is `{"event": "ready", "port": 8554}`. Commands:

    add {camera}   remove {path}   change {path, values}   resize {path, width, height}
    away {path, is_away}   freeze {path, is_frozen}   describe {}

The server exits at the end of stdin, so that it never outlives the test that started it.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable

from cameras import CameraError, parse_camera
from gi.repository import GLib
from mounts import CameraMounts


class ControlChannel:
    """Reads stdin on a thread; the commands are executed on GLib's main thread, one after the other."""

    def __init__(self, mounts: CameraMounts, on_end: Callable[[], None]) -> None:
        self._mounts = mounts
        self._on_end = on_end

    def start(self) -> None:
        """Report `ready` and start reading."""
        _respond({"event": "ready", "port": self._mounts.port})
        threading.Thread(target=self._read, name="control", daemon=True).start()

    def _read(self) -> None:
        for line in sys.stdin:
            GLib.idle_add(self._execute, line)
        GLib.idle_add(self._on_end)

    def _execute(self, line: str) -> bool:
        number = None
        try:
            request = json.loads(line)
            number = request.get("id")
            data = self._dispatch(request)
            _respond({"id": number, "ok": True, "data": data})
        except (CameraError, ValueError, KeyError, AttributeError, TypeError) as error:
            _respond({"id": number, "ok": False, "error": str(error)})
        return False

    def _dispatch(self, request: dict) -> object:
        match request["do"]:
            case "add":
                return self._mounts.add(parse_camera(request["camera"]))
            case "remove":
                return self._mounts.remove(request["path"])
            case "change":
                return self._mounts.change(request["path"], request["values"])
            case "resize":
                return self._mounts.resize(request["path"], request["width"], request["height"])
            case "away":
                return self._mounts.set_away(request["path"], request["is_away"])
            case "freeze":
                return self._mounts.set_frozen(request["path"], request["is_frozen"])
            case "describe":
                return self._mounts.describe()
        raise CameraError(f"{request['do']!r} is not a command; see control.py")


def _respond(message: dict) -> None:
    print(json.dumps(message), flush=True)
