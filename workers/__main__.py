"""`python -m workers stream|record|snapshot|jobs|clock`: starts a worker with the configured settings (Procfile)."""

import shutil
import sys

from gateway import sandbox
from gateway.config import Config
from gateway.errors import ConfigError
from gateway.logs import setup_logging
from gateway.private_files import keep_files_private

#: Exit code for a setting or program that a person must repair (sysexits.h: EX_CONFIG).
EX_CONFIG = 78

KINDS = ("stream", "record", "snapshot", "jobs", "clock")


def main() -> int:
    """Start the worker kind that the one argument names; returns the exit code."""
    if len(sys.argv) != 2 or sys.argv[1] not in KINDS:
        print(f"usage: python -m workers {'|'.join(KINDS)}", file=sys.stderr)
        return 64
    kind = sys.argv[1]
    try:
        config = Config.from_environment()
    except ConfigError as error:
        print(f"cannot start {kind}: {error}", file=sys.stderr)
        return EX_CONFIG
    setup_logging(config)
    sandbox.forbid_core_dumps()
    keep_files_private(config)
    # Each kind imports only what it needs: they start sooner and use less memory.
    if kind == "clock":
        from workers.schedule.scheduler import run_clock

        run_clock(config)
        return 0
    if kind == "snapshot":
        from workers.capture_service import run_snapshots

        run_snapshots(config)
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


if __name__ == "__main__":
    sys.exit(main())
