"""Made pictures of grey values, and walkers of the tracker."""

import numpy as np

from gateway.detectors import Detection
from plugins.ai_analytics.motion import HEIGHT, WIDTH


class Scene:
    """A noisy background in which boxes can be drawn."""

    def __init__(self, seed: int = 1, noise: int = 3) -> None:
        self._dice = np.random.default_rng(seed)
        self._noise = noise
        self.background = (
            self._dice.integers(60, 160, (HEIGHT // 20, WIDTH // 20), np.uint8).repeat(20, 0).repeat(20, 1)
        )

    def picture(self, *boxes: tuple[int, int, int, int], light: int = 0, value: int = 230) -> np.ndarray:
        """The background with boxes (x, y, width, height in pixels), everything lighter by `light`."""
        grey = self.background.astype(np.int16) + light
        for x, y, width, height in boxes:
            grey[max(0, y) : max(0, y + height), max(0, x) : max(0, x + width)] = value
        grey += self._dice.integers(-self._noise, self._noise + 1, grey.shape, np.int16)
        return np.clip(grey, 0, 255).astype(np.uint8)


def person(x: float, y: float, *, score: float = 0.6, label: str = "person", width: float = 0.05) -> Detection:
    """A detection with its upper left corner there."""
    return Detection(label, score, x, y, width, 0.2)
