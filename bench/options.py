"""Options of a benchmark: whether to be short, and with which peer to compare."""

from dataclasses import dataclass

from .peers import Peer


@dataclass(frozen=True)
class Options:
    """`peer` is the class of the peer, None for no comparison."""

    quick: bool
    peer: type[Peer] | None

    def say(self, step: str) -> None:
        """Print the current step."""
        print(f"  … {step}", flush=True)
