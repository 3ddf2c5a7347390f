"""The process of a detector: it finds the detector of any plugin, answers, and keeps what it prints to itself."""

import io
import os

import pytest

from gateway.detectors import Frame
from plugins.ai_analytics.detectors.child import serve
from plugins.ai_analytics.detectors.messages import BrokenMessage, encode_frame, encode_message, read_message
from plugins.ai_analytics.detectors.runner import DetectorRunner
from tests.plugins.ai_analytics.detectors.test_runner import ask, frame, until

FRAME = Frame("d1", 1000, 2, 1, b"abcdef")


class Session:
    def __init__(self, answer) -> None:
        self.answer = answer
        self.frames = []

    def detect(self, one: Frame):
        self.frames.append(one)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def answer_of(session: Session) -> dict:
    answers = io.BytesIO()
    serve(session, io.BytesIO(encode_frame(FRAME) * 2), answers)
    answers.seek(0)
    first, _ = read_message(answers.read)
    second, _ = read_message(answers.read)
    assert first.keys() == second.keys()
    assert read_message(answers.read) is None
    return first


def test_pictures_arrive_as_they_were_sent_and_boxes_return():
    session = Session([["Person", 0.9, 0.1, 0.2, 0.3, 0.4]])
    found = answer_of(session)
    assert session.frames == [FRAME, FRAME]
    assert FRAME.array().tolist() == [[[97, 98, 99], [100, 101, 102]]]
    assert found["boxes"] == [["person", 0.9, 0.1, 0.2, 0.3, 0.4]]
    assert found["problem"] is None


def test_an_exception_and_nonsense_are_answers():
    assert answer_of(Session(ValueError("division by zero")))["failed"] == "division by zero"
    assert answer_of(Session([["person", 7, 0, 0, 1, 1]]))["problem"]


@pytest.mark.parametrize("data", [b"x", encode_message({})[:-1], b"\xff" * 100, b"\2\0\0\0\0\0\0\0[]"])
def test_what_is_no_message_is_refused(data):
    with pytest.raises(BrokenMessage):
        read_message(io.BytesIO(data).read)


@pytest.mark.integration
def test_the_detector_objects_runs_in_a_process_of_its_own(config, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", config.database_url)
    monkeypatch.setenv("VAR_DIR", str(config.var_dir))
    runner = DetectorRunner("objects", {"http_token": None})
    try:
        (answer,) = ask(runner)
        assert answer.detections == []
        assert runner.problem is None
        assert os.getpriority(os.PRIO_PROCESS, runner._process.pid) >= 10
    finally:
        runner.close()


@pytest.mark.integration
def test_a_detector_that_no_plugin_has_is_named(config, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", config.database_url)
    monkeypatch.setenv("VAR_DIR", str(config.var_dir))
    runner = DetectorRunner("eagle", {})
    try:
        runner.offer("d1", frame())
        until(lambda: runner.problem, "the problem", 30)
        assert "no plugin has a detector 'eagle'" in runner.problem
    finally:
        runner.close()
