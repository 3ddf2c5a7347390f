"""Model files: which one is used, and whether it is what it should be."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

#: The model that comes with the installation (deploy/setup/model.py): its name in the cache is its SHA-256.
MODEL_SHA256 = "d0a5255bf8c4f5a0bc4240741a76c41d5e939f7655078f945f50ab53a9375da6"
LABELS = (
    "background", "bicycle", "boot", "laptop", "person", "chair", "cattle", "desk",
    "cat", "computer mouse", "computer monitor", "box", "mug", "coffee cup", "stationary bicycle", "table",
    "bottle", "high heels", "vehicle", "footwear", "dog", "book", "camera", "car",
)  # fmt: skip
_MOST_BYTES = 500 << 20


class ModelError(ValueError):
    """A model cannot be used; the message says why and what would be right."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model and the labels of its classes; the first one is the background."""

    path: Path
    labels: list[str]
    is_bundled: bool = False


def find_model(model_file: str | None, label_file: str | None) -> ModelFile:
    """The model of the options, otherwise the one of the installation. Raises ModelError."""
    if not model_file:
        path = bundled_model()
        _check(path, "the model of the installation is missing: run `make setup`, or set 'model_file'")
        if hashlib.sha256(path.read_bytes()).hexdigest() != MODEL_SHA256:
            raise ModelError(f"'{path}' is damaged: delete it and run `make setup`")
        return ModelFile(path, list(LABELS), is_bundled=True)
    path = Path(model_file)
    _check(path, f"'model_file' must be a file of TensorFlow Lite or ONNX: '{model_file}' cannot be read")
    if path.stat().st_size > _MOST_BYTES:
        raise ModelError(f"'model_file' must have at most {_MOST_BYTES >> 20} MB")
    if not label_file:
        raise ModelError("'label_file' must name the file with the labels of 'model_file', one in a line")
    labels = Path(label_file)
    _check(labels, f"'label_file' must be a text file with a label in each line: '{label_file}' cannot be read")
    try:
        lines = labels.read_text().splitlines()
    except UnicodeDecodeError:
        raise ModelError(f"'label_file' must be a text file in UTF-8, not '{label_file}'") from None
    names = [line.strip().lower() for line in lines if line.strip()]
    if not 1 <= len(names) <= 10_000:
        raise ModelError(f"'label_file' must have a label in each line: '{label_file}' has {len(names)}")
    return ModelFile(path, names)


def bundled_model() -> Path:
    """Where `make setup` keeps the model, whether it is there or not."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "vas" / "models" / f"{MODEL_SHA256}.tflite"


def _check(path: Path, problem: str) -> None:
    if not path.is_file() or not os.access(path, os.R_OK):
        raise ModelError(problem)
