"""What a bench is told: whether to be short, and beside which peer to measure."""

from dataclasses import dataclass

from .peers import Peer


@dataclass(frozen=True)
class Options:
    """`peer` is the class of the peer, None to measure alone."""

    quick: bool
    peer: type[Peer] | None

    def say(self, step: str) -> None:
        """Plain progress: what is measured now."""
        print(f"  … {step}", flush=True)
