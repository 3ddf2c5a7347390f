"""The detector `objects`: a model file, run by LiteRT or ONNX Runtime on one thread."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from gateway.plugin_api import Detection, Detector, DetectorSession, Frame
from plugins.ai_analytics.detectors import ssd
from plugins.ai_analytics.detectors.model_files import ModelError, ModelFile, find_model

#: Weaker detections are not even used to continue tracks.
LEAST_SCORE = 0.25


class ObjectDetector(Detector):
    """Finds people, vehicles and animals."""

    name = "objects"
    width = height = ssd.SIZE

    def open(self, options: Mapping[str, Any]) -> DetectorSession:
        """Load the model. Raises ModelError."""
        return ObjectSession(load_model(find_model(options.get("model_file"), options.get("label_file"))))


class Model(Protocol):
    """A model that is loaded: the size of its input, and the objects in a picture of this size."""

    size: tuple[int, int]

    def find(self, rgb: np.ndarray) -> Sequence[Detection]: ...


class ObjectSession(DetectorSession):
    """Scales pictures to the input of the model."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def detect(self, frame: Frame) -> Sequence[Detection]:
        return self._model.find(resize(frame.array(), *self._model.size))


def load_model(file: ModelFile) -> Model:
    """Load a model file. Raises ModelError for one that is none, or has other outputs than the detector can read."""
    head = file.path.open("rb").read(8)
    try:
        if head[4:8] == b"TFL3":
            return LiteModel(file)
        if file.path.suffix.lower() == ".onnx":
            return OnnxModel(file)
    except ModelError:
        raise
    except ImportError as error:
        raise ModelError(f"'{error.name}' is not installed: `pip install {error.name}`") from error
    except Exception as error:
        raise ModelError(f"'{file.path}' cannot be loaded: {str(error)[:200]}") from error
    raise ModelError(f"'{file.path}' is neither a model of TensorFlow Lite nor one of ONNX")


class LiteModel:
    """A model of TensorFlow Lite: SSD with anchors, or with the outputs of TFLite_Detection_PostProcess."""

    def __init__(self, file: ModelFile) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._interpreter = Interpreter(str(file.path), num_threads=1)
        self._interpreter.allocate_tensors()
        self._labels = file.labels
        (entry,) = self._interpreter.get_input_details()
        self._input, self._type = entry["index"], entry["dtype"]
        self.size = _read_size(entry["shape"])
        outputs = self._interpreter.get_output_details()
        self._outputs = [one["index"] for one in outputs]
        self._reader = choose_reader([tuple(int(side) for side in one["shape"]) for one in outputs], file.labels)

    def find(self, rgb: np.ndarray) -> Sequence[Detection]:
        self._interpreter.set_tensor(self._input, prepare(rgb, self._type)[None])
        self._interpreter.invoke()
        return self._reader([self._interpreter.get_tensor(index)[0] for index in self._outputs])


class OnnxModel:
    """A model of ONNX with the same outputs."""

    def __init__(self, file: ModelFile) -> None:
        import onnxruntime

        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = settings.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(file.path), settings, providers=["CPUExecutionProvider"])
        (entry,) = self._session.get_inputs()
        self._name, self._type = entry.name, np.uint8 if "uint8" in entry.type else np.float32
        self.size = _read_size(entry.shape)
        # Shapes are known with the first picture at the latest.
        outputs = self._session.run(
            None, {self._name: prepare(np.zeros((*self.size[::-1], 3), np.uint8), self._type)[None]}
        )
        self._reader = choose_reader([one.shape for one in outputs], file.labels)

    def find(self, rgb: np.ndarray) -> Sequence[Detection]:
        outputs = self._session.run(None, {self._name: prepare(rgb, self._type)[None]})
        return self._reader([one[0] for one in outputs])


def choose_reader(shapes: list[tuple[int, ...]], labels: list[str]) -> Any:
    """The function that reads outputs of these shapes. Raises ModelError."""
    if shapes == [(1, ssd.ANCHORS, 4), (1, ssd.ANCHORS, len(labels))]:
        anchors = ssd.build_anchors()
        return lambda outputs: ssd.decode(outputs[0], outputs[1], anchors, labels, LEAST_SCORE)
    if len(shapes) == 4 and len(shapes[0]) == 3 and shapes[0][2] == 4 and shapes[1] == shapes[2]:
        return lambda outputs: read_processed(outputs, labels)
    if len(shapes) == 2 and shapes[0] == (1, ssd.ANCHORS, 4):
        raise ModelError(f"'label_file' must have {shapes[1][2]} labels, the background first, not {len(labels)}")
    raise ModelError(
        f"the model must give boxes and classes of {ssd.ANCHORS} anchors, or boxes, classes, scores and their number, "
        f"not {', '.join('×'.join(map(str, shape)) for shape in shapes)}"
    )


def read_processed(outputs: Sequence[np.ndarray], labels: list[str]) -> list[Detection]:
    """Boxes (y, x, y, x), classes, scores and their number, as TFLite_Detection_PostProcess gives them."""
    boxes, classes, scores, number = outputs
    found = []
    for box, kind, score in list(zip(boxes, classes, scores, strict=True))[: int(np.ravel(number)[0])]:
        if not score >= LEAST_SCORE or not 0 <= int(kind) < len(labels):
            continue
        top, left, bottom, right = (min(max(float(side), 0.0), 1.0) for side in box)
        found.append(Detection(labels[int(kind)], float(score), left, top, right - left, bottom - top))
    return found


def prepare(rgb: np.ndarray, kind: Any) -> np.ndarray:
    """Pixels as the model takes them: from -1 to 1, or bytes."""
    if kind == np.uint8:
        return rgb
    values = rgb.astype(np.float32)
    values *= 1 / 127.5
    values -= 1
    return values


def resize(rgb: np.ndarray, width: int, height: int) -> np.ndarray:
    """A picture in another size, by its nearest pixels; the usual one has the right size already."""
    if rgb.shape[:2] == (height, width):
        return rgb
    rows = (np.arange(height) * rgb.shape[0] // height)[:, None]
    return rgb[rows, np.arange(width) * rgb.shape[1] // width]


def _read_size(shape: Sequence[Any]) -> tuple[int, int]:
    """Width and height of an input of 1 × height × width × 3. Raises ModelError."""
    sides = [int(side) if isinstance(side, int | np.integer) else 0 for side in shape]
    if len(sides) != 4 or sides[3] != 3 or not all(16 <= side <= 2048 for side in sides[1:3]):
        raise ModelError(f"the model must take pictures of height × width × 3, not {'×'.join(map(str, shape))}")
    return sides[2], sides[1]
