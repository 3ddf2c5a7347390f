"""Finds the devices that the outputs of a process have, and do not want any more."""

from gateway.outputs import ConsumerOutput
from workers.outputs.wanted import WantedDevices

#: Longest wait for the answers of one look: an output that takes longer is heard with a later one.
_ANSWER_SECONDS = 0.5
#: A device is given up when this many answers in a row, given since it was attached, leave it out.
_ANSWERS = 2


class GivenUp:
    """What outputs want, asked every few seconds. Outputs that fail to answer give nothing up."""

    def __init__(self, outputs: list[ConsumerOutput]) -> None:
        self._wanted = WantedDevices(outputs)
        self._answers: dict[str, list[frozenset[str]]] = {output.name: [] for output in outputs}
        self._counts = dict.fromkeys(self._answers, 0)

    def look(self) -> None:
        """Ask all outputs."""
        found = self._wanted.read(_ANSWER_SECONDS)
        for name, count in self._wanted.counts().items():
            if count != self._counts[name]:
                self._answers[name] = [*self._answers[name][1 - _ANSWERS :], frozenset(found[name])]
                self._counts[name] = count

    def count(self, output: str) -> int:
        """The number of answers of an output so far."""
        return self._counts.get(output, 0)

    def has(self, output: str, device_id: str, since: int) -> bool:
        """Whether an output does not want a device that was attached at the answer with this number."""
        if self.count(output) < since + _ANSWERS:
            return False
        return not any(device_id in answer for answer in self._answers[output])
