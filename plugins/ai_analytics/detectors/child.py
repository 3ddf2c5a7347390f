"""The process of one detector: `python -m plugins.ai_analytics.detectors.child NAME`.

Reads pictures from its standard input and answers on its standard output. It ends with the process that started it.
"""

import ctypes
import json
import os
import signal
import sys
import time
from typing import BinaryIO

from gateway import database
from gateway.plugin_api import Config, Detector, DetectorSession, Frame
from gateway.plugin_loading import load_plugins
from plugins.ai_analytics.detectors.answers import check_detections
from plugins.ai_analytics.detectors.messages import encode_message, read_message

_PR_SET_PDEATHSIG = 1
_NICE = 10


def main() -> int:
    """Open the detector and answer, until the input ends."""
    parent = int(sys.argv[2])
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        return 1
    os.nice(_NICE)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What a detector prints must not come between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    message = read_message(sys.stdin.buffer.read)
    options = message[0]["options"] if message is not None else {}
    try:
        session = find_detector(sys.argv[1]).open(options)
    except BaseException as error:
        _answer(answers, {"failed": _describe(error)})
        return 1
    _answer(answers, {"opened": True})
    database.close()
    serve(session, sys.stdin.buffer, answers)
    return 0


def find_detector(name: str) -> Detector:
    """The detector of this name, of any plugin. Raises LookupError."""
    config = Config.from_environment()
    database.connect(config)
    manager = load_plugins(config)
    for implementation in manager.hook.register_detectors.get_hookimpls():
        try:
            found = manager.call(implementation, {})
        except Exception as error:
            print(f"plugin '{implementation.plugin_name}' failed in register_detectors: {error}", file=sys.stderr)
            continue
        for detector in found:
            if detector.name == name:
                return detector
    raise LookupError(f"no plugin has a detector '{name}'")


def serve(session: DetectorSession, pictures: BinaryIO, answers: BinaryIO) -> None:
    """Answer each picture."""
    while (message := read_message(pictures.read)) is not None:
        head, rgb = message
        began = time.process_time()
        try:
            found, problem = check_detections(session.detect(Frame(**head, rgb=rgb)))
            answer = {"boxes": [_pack(one) for one in found], "problem": problem}
        except Exception as error:
            answer = {"boxes": [], "failed": _describe(error)}
        answer["cpu_ms"] = round((time.process_time() - began) * 1000, 3)
        _answer(answers, answer)


def _pack(one) -> list:
    return [one.label, *(round(value, 5) for value in (one.score, one.x, one.y, one.width, one.height))]


def _describe(error: BaseException) -> str:
    return f"{error}"[:300] or type(error).__name__


def _answer(answers: BinaryIO, values: dict) -> None:
    answers.write(encode_message(json.loads(json.dumps(values))))
    answers.flush()


if __name__ == "__main__":
    sys.exit(main())
