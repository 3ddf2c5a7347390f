"""Decodes the outputs of SSD MobileNetV2, the model of the detector `objects`.

Boxes are relative to 1,917 anchors; the layout is that of TensorFlow's `ssd_anchor_generator` with six layers.
"""

import math

import numpy as np

from gateway.plugin_api import Detection

SIZE = 300
ANCHORS = 1917
_STRIDES = (16, 32, 64, 128, 256, 512)
_LEAST_SCALE, _MOST_SCALE = 0.2, 0.95
_RATIOS = (1.0, 2.0, 0.5, 3.0, 1 / 3)
#: By which the model's numbers are divided: centre, size.
_CENTRE, _SIZE = 10.0, 5.0
_MOST_BOXES = 100
_OVERLAP = 0.5


def build_anchors() -> np.ndarray:
    """The anchors as rows of centre y, centre x, height, width, in parts of the picture."""
    layers = len(_STRIDES)
    scales = [_LEAST_SCALE + (_MOST_SCALE - _LEAST_SCALE) * i / (layers - 1) for i in range(layers)] + [1.0]
    rows: list[tuple[float, float, float, float]] = []
    for layer, stride in enumerate(_STRIDES):
        side = math.ceil(SIZE / stride)
        if layer == 0:
            shapes = [(0.1, 1.0), (scales[0], 2.0), (scales[0], 0.5)]
        else:
            shapes = [(scales[layer], ratio) for ratio in _RATIOS]
            shapes.append((math.sqrt(scales[layer] * scales[layer + 1]), 1.0))
        for y in range(side):
            for x in range(side):
                for scale, ratio in shapes:
                    root = math.sqrt(ratio)
                    rows.append(((y + 0.5) / side, (x + 0.5) / side, scale / root, scale * root))
    return np.array(rows, np.float32)


def decode(
    boxes: np.ndarray, classes: np.ndarray, anchors: np.ndarray, labels: list[str], least_score: float
) -> list[Detection]:
    """The objects of a picture, best first. `boxes`: 1,917 × 4 (y, x, h, w); `classes`: logits, 1,917 × labels.

    `labels[0]` is the background.
    """
    scores = 1 / (1 + np.exp(-classes[:, 1:].astype(np.float32)))
    best = scores.argmax(axis=1)
    values = scores[np.arange(len(best)), best]
    chosen = np.nonzero(values >= least_score)[0]
    chosen = chosen[np.argsort(-values[chosen])][:_MOST_BOXES]
    if not len(chosen):
        return []
    anchor, box = anchors[chosen], boxes[chosen]
    centre = box[:, :2] / _CENTRE * anchor[:, 2:] + anchor[:, :2]
    size = np.exp(np.clip(box[:, 2:] / _SIZE, -10, 10)) * anchor[:, 2:]
    low, high = np.clip(centre - size / 2, 0, 1), np.clip(centre + size / 2, 0, 1)
    kept = _suppress(low, high, best[chosen])
    return [
        Detection(
            labels[best[chosen[i]] + 1],
            float(values[chosen[i]]),
            float(low[i, 1]),
            float(low[i, 0]),
            float(high[i, 1] - low[i, 1]),
            float(high[i, 0] - low[i, 0]),
        )
        for i in kept
    ]


def _suppress(low: np.ndarray, high: np.ndarray, kinds: np.ndarray) -> list[int]:
    """The boxes that are not another view of a better one of the same kind; `low` and `high` are sorted by score."""
    kept: list[int] = []
    areas = np.prod(high - low, axis=1)
    for i in range(len(low)):
        same = [k for k in kept if kinds[k] == kinds[i]]
        if same:
            common = np.prod(np.clip(np.minimum(high[i], high[same]) - np.maximum(low[i], low[same]), 0, None), axis=1)
            union = areas[i] + areas[same] - common
            if (common > _OVERLAP * union).any():
                continue
        kept.append(i)
    return kept
