"""`python -m workers stream|record|snapshot|jobs|clock`: starts a worker with the configured settings (Procfile)."""

import os
import shutil
import sys

from gateway import sandbox
from gateway.config import Config
from gateway.errors import ConfigError
from gateway.leases import RECORD, SNAPSHOT, STREAM
from gateway.logs import setup_logging
from gateway.streams.messages import JOBS_QUEUE
from workers.middleware import KIND_VARIABLE

#: Exit code for a setting or program that a person must repair (sysexits.h: EX_CONFIG).
EX_CONFIG = 78


def main() -> int:
    """Start the worker kind that the one argument names; returns the exit code."""
    kinds = (STREAM, RECORD, SNAPSHOT, JOBS_QUEUE, "clock")
    if len(sys.argv) != 2 or sys.argv[1] not in kinds:
        print(f"usage: python -m workers {'|'.join(kinds)}", file=sys.stderr)
        return 64
    kind = sys.argv[1]
    try:
        config = Config.from_environment()
    except ConfigError as error:
        print(f"cannot start {kind}: {error}", file=sys.stderr)
        return EX_CONFIG
    setup_logging(config)
    sandbox.forbid_core_dumps()
    if kind == "clock":
        from workers.schedule.scheduler import run_clock

        run_clock(config)
        return 0
    if kind == SNAPSHOT:
        from workers.capture_service import run_snapshots

        run_snapshots(config)
        return 0
    for program in (config.ffmpeg_bin,) if kind == STREAM else ():
        if shutil.which(program) is None:
            print(
                f"cannot start {kind}: '{program}' is not installed: install ffmpeg or set FFMPEG_BIN", file=sys.stderr
            )
            return EX_CONFIG
    if config.ffmpeg_sandbox == "required" and not sandbox.version():
        print(
            f"cannot start {kind}: FFMPEG_SANDBOX is 'required', and this system has no Landlock: use Linux 5.13 or"
            " later, or FFMPEG_SANDBOX=auto",
            file=sys.stderr,
        )
        return EX_CONFIG
    return run_dramatiq(kind, config)


def run_dramatiq(kind: str, config: Config) -> int:
    """Run Dramatiq's own command for one queue."""
    processes, threads = {
        STREAM: (config.stream_processes, config.stream_slots),
        RECORD: (config.record_processes, config.record_slots),
    }.get(kind, (1, config.job_threads))
    os.environ[KIND_VARIABLE] = kind
    # A message in progress counts as prefetched: with a higher limit, messages behind an endless one would never start.
    os.environ["dramatiq_queue_prefetch"] = str(threads)
    # Milliseconds between polls of an empty queue, and before a retry after Redis was lost.
    os.environ["dramatiq_worker_timeout"] = "250"
    os.environ["dramatiq_restart_delay"] = "1000"
    sys.argv = [
        "dramatiq",
        "workers.broker",
        "workers.actors",
        "--queues",
        kind,
        "--skip-logging",
        "--processes",
        str(processes),
        "--threads",
        str(threads),
        "--worker-shutdown-timeout",
        "10000",
        # Until its workers are up, the main process does not notice the death of one: half a minute by default.
        "--worker-fork-timeout",
        "1000",
    ]
    from dramatiq.cli import main as dramatiq_main

    return dramatiq_main()


if __name__ == "__main__":
    sys.exit(main())
