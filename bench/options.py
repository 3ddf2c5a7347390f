"""Options of a benchmark: whether to be short, and with which peers to compare."""

from dataclasses import dataclass

from .peers import Peer


@dataclass(frozen=True)
class Options:
    """`peers` are the classes of the peers; empty for no comparison."""

    quick: bool
    peers: tuple[type[Peer], ...] = ()

    def say(self, step: str) -> None:
        """Print the current step."""
        print(f"  … {step}", flush=True)
