"""`python -m workers stream|record|outputs|snapshot|jobs|clock|plugins`: starts a worker with the configured settings.


`python -m workers outputs NAME` runs the outputs that ask for a process of that name (`ConsumerOutput.process`).
"""

import re
import shutil
import sys

from gateway import sandbox
from gateway.config import Config
from gateway.errors import ConfigError
from gateway.isolation.guard import GUARD
from gateway.logs import setup_logging
from gateway.private_files import keep_files_private

#: Exit code for a setting or program that a person must repair (sysexits.h: EX_CONFIG).
EX_CONFIG = 78

KINDS = ("stream", "record", "outputs", "snapshot", "jobs", "clock", "plugins")


def main() -> int:
    """Start the worker kind that the first argument names; returns the exit code."""
    kind, names = read_kind(sys.argv[1:])
    if not kind:
        print(f"usage: python -m workers {'|'.join(KINDS)} (outputs: [NAME], plugins: [NAME ...])", file=sys.stderr)
        return 64
    try:
        config = Config.from_environment()
    except ConfigError as error:
        print(f"cannot start {kind}: {error}", file=sys.stderr)
        return EX_CONFIG
    zygote = None
    if kind == "plugins":
        from workers.plugins.marks import make_room
        from workers.plugins.zygote import Zygote

        make_room()
        # A fork of this process while it has no thread, no connection and no plugin.
        zygote = Zygote()
        zygote.start()
    setup_logging(config)
    sandbox.forbid_core_dumps()
    keep_files_private(config)
    GUARD.start(config.var_dir, kind)
    # Each kind imports only what it needs: they start sooner and use less memory.
    if kind == "clock":
        from workers.schedule.scheduler import run_clock

        run_clock(config)
        return 0
    if kind == "snapshot":
        from workers.capture_service import run_snapshots

        run_snapshots(config)
        return 0
    if kind == "plugins":
        from workers.plugins.supervisor import run_plugins

        if problem := run_plugins(config, zygote, names):
            print(f"cannot start plugins: {problem}", file=sys.stderr)
            return EX_CONFIG
        return 0
    if config.ffmpeg_sandbox == "required" and not sandbox.version():
        print(
            f"cannot start {kind}: FFMPEG_SANDBOX is 'required', and this system has no Landlock: use Linux 5.13 or"
            " later, or FFMPEG_SANDBOX=auto",
            file=sys.stderr,
        )
        return EX_CONFIG
    if kind == "stream" and shutil.which(config.ffmpeg_bin) is None:
        print(
            f"cannot start {kind}: '{config.ffmpeg_bin}' is not installed: install ffmpeg or set FFMPEG_BIN",
            file=sys.stderr,
        )
        return EX_CONFIG
    from workers.queue_worker import run_queue_worker

    run_queue_worker(kind, config)
    return 0


def read_kind(arguments: list[str]) -> tuple[str, list[str]]:
    """The kind of worker (`outputs.NAME` for a process of its own) and the names of plugins; "" if they are wrong."""
    match arguments:
        case ["plugins", *names]:
            return "plugins", names
        case ["outputs", name] if name != "outputs" and re.fullmatch(r"[a-z][a-z0-9_]{0,31}", name):
            return f"outputs.{name}", []
        case [kind] if kind in KINDS:
            return kind, []
    return "", []


if __name__ == "__main__":
    sys.exit(main())
