"""A model file that cannot be used is refused in words; pictures fit whatever a model takes."""

import numpy as np
import pytest

from plugins.ai_analytics.detectors import model_files, objects
from plugins.ai_analytics.detectors.model_files import ModelError, ModelFile, find_model
from plugins.ai_analytics.detectors.objects import ObjectDetector, choose_reader, load_model, read_processed, resize
from plugins.ai_analytics.detectors.ssd import ANCHORS

LABELS = ["background", "person"]


@pytest.fixture
def files(tmp_path):
    def write(model: bytes, labels: bytes = b"background\nperson\n", name: str = "model.tflite"):
        (tmp_path / name).write_bytes(model)
        (tmp_path / "labels.txt").write_bytes(labels)
        return str(tmp_path / name), str(tmp_path / "labels.txt")

    return write


def test_garbage_is_no_model(files):
    with pytest.raises(ModelError, match="neither a model"):
        load_model(find_model(*files(b"garbage")))
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_model(find_model(*files(b"\0\0\0\0TFL3" + b"garbage" * 100)))
    with pytest.raises(ModelError):
        load_model(find_model(*files(b"garbage", name="model.onnx")))


def test_missing_files_are_named(files, tmp_path):
    model, labels = files(b"x")
    with pytest.raises(ModelError, match="'model_file'"):
        find_model(str(tmp_path / "none"), labels)
    with pytest.raises(ModelError, match="'label_file'"):
        find_model(model, None)
    with pytest.raises(ModelError, match="'label_file'"):
        find_model(model, str(tmp_path))
    with pytest.raises(ModelError, match="UTF-8"):
        find_model(*files(b"x", b"\xff\xfe"))
    with pytest.raises(ModelError, match="has 0"):
        find_model(*files(b"x", b"\n\n"))


def test_labels_are_lower_case_and_without_blanks(files):
    assert find_model(*files(b"x", b" Background\r\nPerson \n\n")).labels == LABELS


def test_the_model_of_the_installation_is_checked(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(ModelError, match="make setup"):
        find_model(None, None)
    path = model_files.bundled_model()
    path.parent.mkdir(parents=True)
    path.write_bytes(b"another")
    with pytest.raises(ModelError, match="damaged"):
        find_model(None, None)


def test_outputs_of_another_kind_of_model_are_refused_in_words():
    with pytest.raises(ModelError, match="must have 91 labels"):
        choose_reader([(1, ANCHORS, 4), (1, ANCHORS, 91)], LABELS)
    with pytest.raises(ModelError, match="1×1000"):
        choose_reader([(1, 1000)], LABELS)


def test_processed_outputs_become_detections():
    boxes = np.array([[0.1, 0.2, 0.5, 0.6], [0, 0, 1, 1], [0, 0, 1, 1], [-1, 0, 2, 1]], np.float32)
    outputs = [boxes, np.array([1, 1, 7, 1]), np.array([0.9, np.nan, 0.9, 0.5]), np.array([4.0])]
    found = read_processed(outputs, LABELS)
    assert [(one.label, round(one.score, 2)) for one in found] == [("person", 0.9), ("person", 0.5)]
    assert (found[0].x, found[0].y) == (pytest.approx(0.2), pytest.approx(0.1))
    assert (found[1].y, found[1].height) == (0, 1)


def test_pictures_are_resized_to_the_input():
    rgb = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    assert resize(rgb, 6, 4) is rgb
    assert (resize(rgb, 3, 2) == rgb[::2, ::2]).all()
    assert resize(rgb, 12, 8).shape == (8, 12, 3)


@pytest.mark.parametrize("shape", [[1, 300, 300], [1, 3, 300, 300], [1, "height", "width", 3], [1, 8, 8, 3]])
def test_inputs_that_are_no_pictures_are_refused(shape):
    with pytest.raises(ModelError, match="height × width × 3"):
        objects._read_size(shape)


@pytest.mark.integration
def test_the_model_of_the_installation_runs_and_sees_nothing_in_noise():
    from gateway.detectors import Frame

    assert isinstance(find_model(None, None), ModelFile)
    session = ObjectDetector().open({})
    noise = np.random.default_rng(1).integers(0, 256, (300, 300, 3), np.uint8).tobytes()
    assert [one for one in session.detect(Frame("d1", 0, 300, 300, noise)) if one.score > 0.5] == []
