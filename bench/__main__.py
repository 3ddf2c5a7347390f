"""`python -m bench`: runs benchmarks, prints their tables, and writes docs/benchmarks.md and bench/results/."""

import argparse
import shlex
import sys
import time

from . import (
    analytics,
    archive,
    capacity,
    captures,
    clocks,
    cost,
    events,
    export,
    first_frame,
    fleet,
    frames,
    isolation,
    latency,
    queries,
    recovery,
    restart,
    seek,
    web_waiters,
)
from .machine import describe_run
from .options import Options
from .peers import PEERS, Peer, find_peers
from .report import PAGE, print_result, save_raw, write_page

BENCHES = {
    "analytics": analytics.run,
    "latency": latency.run,
    "first_frame": first_frame.run,
    "cost": cost.run,
    "recovery": recovery.run,
    "restart": restart.run,
    "export": export.run,
    "archive": archive.run,
    "seek": seek.run,
    "captures": captures.run,
    "frames": frames.run,
    "clocks": clocks.run,
    "queries": queries.run,
    "web_waiters": web_waiters.run,
    "events": events.run,
    "capacity": capacity.run,
    "fleet": fleet.run,
    "isolation": isolation.run,
}
#: Run only by name: `capacity` loads the machine to its limit, the others take ten minutes or more.
BY_NAME_ONLY = {
    "analytics", "archive", "capacity", "clocks", "events", "fleet", "frames", "isolation", "queries", "web_waiters",
}  # fmt: skip


def main() -> int:
    """Exit code 0 unless a benchmark could not be run; slow results are not a failure."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=BENCHES, help="run only this benchmark; may be repeated")
    parser.add_argument(
        "--quick", action="store_true", help="short runs that only check the benchmarks; writes no page"
    )
    parser.add_argument(
        "--peer",
        type=parse_peers,
        default="all",
        help=f"products to compare with, separated by commas: {', '.join(PEERS)}, all that are installed, or none",
    )
    parser.add_argument("--no-page", action="store_true", help=f"do not change docs/{PAGE.name}")
    arguments = parser.parse_args()
    options = Options(quick=arguments.quick, peers=arguments.peer)
    names = arguments.only or [name for name in BENCHES if name not in BY_NAME_ONLY]
    words = [word for word in sys.argv[1:] if word != "--no-page"]
    failed = []
    for name in names:
        print(f"\n== {name} ==", flush=True)
        started = time.monotonic()
        run = describe_run({peer.name: peer.find_version() for peer in options.peers})
        try:
            result = BENCHES[name](options)
        except Exception as error:
            print(f"  could not be run: {type(error).__name__}: {error}", file=sys.stderr)
            failed.append(name)
            continue
        result.run, result.command = run, shlex.join(["python", "-m", "bench", *words])
        print_result(result)
        print(f"  raw results: {save_raw(result)} ({time.monotonic() - started:.0f} s)", flush=True)
        if not options.quick and not arguments.no_page:
            write_page(result)
    if failed:
        print(f"\nnot run: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def parse_peers(text: str) -> tuple[type[Peer], ...]:
    """Parse `--peer`. Raises argparse.ArgumentTypeError for peers that are unknown or, if named, not installed."""
    if text == "none":
        return ()
    try:
        found, missing = find_peers(list(PEERS) if text == "all" else text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if missing and text != "all":
        raise argparse.ArgumentTypeError("; ".join(missing))
    for sentence in missing:
        print(f"  {sentence}")
    return tuple(found)


if __name__ == "__main__":
    sys.exit(main())
