"""`python -m workers.plugins.zygote_side SOCKET WORKER MARK`: the zygote, of which the children of the plugins worker
are forks.

It has imported our own modules, and shares their memory with its forks. It has no threads, no connections and no module
of a plugin. It outlives the plugins worker for a moment, to kill what the children have left.
"""

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Mapping
from typing import Any, NoReturn

from workers.orphans import kill_marked
from workers.plugins.marks import CHILD_MARK, WORKER_MARK, build_block, write_marks

#: What the children import. A module of a plugin must not be among them.
_MODULES = (
    "dotenv",
    "gateway.archive.interface",
    "gateway.devices.sources",
    "gateway.plugin_loading",
    "gateway.plugin_options.fields",
    "gateway.plugin_options.reader",
    "urllib.request",
    "workers.plugins.archive_process",
    "workers.plugins.event_process",
    "workers.plugins.facts_process",
    "workers.plugins.service_process",
    "workers.plugins.work_process",
)
_MAX_REQUEST = 1 << 16
#: Looks whether the worker lives, should the end of the socket be held by something else.
_LOOK_SECONDS = 10.0
_ADOPTION_SECONDS = 10.0
_CLEANING_PASSES, _CLEANING_SECONDS = 20, 0.05


def import_modules() -> None:
    """Import what the children share, and keep it from the garbage collector, which writes to what it visits."""
    gc.disable()
    for name in _MODULES:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    gc.enable()


def serve(descriptor: int, worker: int, mark: str) -> NoReturn:
    """Fork children until the plugins worker closes the socket, or ends; then kill all that it has left."""
    with contextlib.suppress(OSError):
        os.setsid()
    _detach({0, 1, 2, descriptor})
    channel = socket.socket(fileno=descriptor)
    try:
        channel.send(b'{"ready": 1}')
        while os.getppid() == worker:
            if not select.select([channel], [], [], _LOOK_SECONDS)[0]:
                continue
            request, descriptors, _, _ = socket.recv_fds(channel, _MAX_REQUEST, 1)
            if not request:
                break
            answer = _answer(json.loads(request), descriptors, worker, mark)
            for one in descriptors:
                os.close(one)
            channel.send(json.dumps(answer).encode())
    except OSError:
        # The worker has ended.
        pass
    for _ in range(_CLEANING_PASSES):
        if not kill_marked(WORKER_MARK, mark):
            break
        time.sleep(_CLEANING_SECONDS)
    os._exit(0)


def _answer(request: Mapping[str, Any], descriptors: list[int], worker: int, mark: str) -> dict[str, Any]:
    try:
        pid = _fork(request, descriptors[0], worker, mark)
    except (OSError, IndexError, ValueError) as error:
        return {"error": f"{type(error).__name__}: {error}"}
    return {"pid": pid}


def _fork(request: Mapping[str, Any], pipe: int, worker: int, mark: str) -> int:
    """Fork a child twice: the process between ends at once, so that the child becomes one of the worker, which adopts
    it (PR_SET_CHILD_SUBREAPER); returns its number. Raises OSError, and ValueError without room for its marks."""
    marks, title = {CHILD_MARK: request["mark"], WORKER_MARK: mark}, _title_of(request)
    build_block(marks, title)
    reader, writer = os.pipe()
    try:
        between = os.fork()
        if between == 0:
            try:
                child = os.fork()
                if child == 0:
                    _become_child(request, pipe, worker, marks)
                os.write(writer, str(child).encode())
            finally:
                os._exit(0)
        os.waitpid(between, 0)
        os.set_blocking(reader, False)
        return int(os.read(reader, 32))
    finally:
        os.close(reader)
        os.close(writer)


def _title_of(request: Mapping[str, Any]) -> str:
    return " ".join(["python -m", request["module"], *request["arguments"]])


def _become_child(request: Mapping[str, Any], pipe: int, worker: int, marks: Mapping[str, str]) -> NoReturn:
    """Run the module of the request as a command would. Never returns, whatever happens."""
    code = 1
    try:
        os.setsid()
        _detach({0, 1, 2, pipe})
        arguments = [*request["arguments"], str(pipe), str(worker)]
        write_marks(marks, _title_of(request))
        _await_adoption(pipe, worker)
        sys.argv = [request["module"], *arguments]
        importlib.import_module(request["module"]).main(*arguments)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _await_adoption(pipe: int, worker: int) -> None:
    """Wait until this process is a child of the worker. A worker that has given it up has closed the pipe, after which
    it kills what has the mark: it must be marked before."""
    until = time.monotonic() + _ADOPTION_SECONDS
    while os.getppid() != worker:
        if time.monotonic() > until:
            os._exit(1)
        time.sleep(0.001)
    broken = select.poll()
    broken.register(pipe, 0)
    if broken.poll(0):
        os._exit(1)


def _detach(kept: set[int]) -> None:
    """Close all inherited descriptors but some, and read nothing from a terminal."""
    for name in os.listdir("/proc/self/fd"):
        if (number := int(name)) not in kept:
            with contextlib.suppress(OSError):
                os.close(number)
    nothing = os.open(os.devnull, os.O_RDONLY)
    if nothing != 0:
        os.dup2(nothing, 0)
        os.close(nothing)


def main(descriptor: str, worker: str, mark: str) -> None:
    """The zygote as a command: it takes the place of one that was forked from the worker, and has died."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    os.environ.pop(CHILD_MARK, None)
    import_modules()
    serve(int(descriptor), int(worker), mark)


if __name__ == "__main__":
    main(*sys.argv[1:])
