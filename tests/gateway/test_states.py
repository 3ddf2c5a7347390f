"""The table of transitions, and reasons that people can act on."""

import itertools

import pytest

from gateway.states import REASONS, TRANSITIONS, StreamState, can_follow, reason_for

S = StreamState


def test_every_state_has_a_row_and_a_following_state():
    assert set(TRANSITIONS) == set(S)
    assert all(TRANSITIONS.values())


@pytest.mark.parametrize("state", list(S))
def test_a_new_owner_can_take_over_from_any_state(state):
    assert can_follow(state, S.STARTING)


@pytest.mark.parametrize("state", list(S))
def test_a_state_may_be_repeated_and_everything_can_be_stopped(state):
    assert can_follow(state, state)
    assert can_follow(state, S.STOPPED)


def test_a_stopped_stream_can_only_start():
    assert [state for state in S if can_follow(S.STOPPED, state)] == [S.STOPPED, S.STARTING]
    assert not can_follow(S.STOPPING, S.RUNNING)


def test_every_state_that_may_fail_may_also_recover():
    """An owner writes `running` when the first part arrives, without any state in between."""
    for earlier, later in itertools.product((S.STARTING, S.RECONNECTING, S.FAILED), (S.RUNNING, S.RECONNECTING)):
        assert can_follow(earlier, later), f"{earlier} -> {later}"


def test_every_reason_has_a_message_and_a_remedy_in_our_style():
    for code, reason in REASONS.items():
        assert reason.code == code
        assert reason.message
        assert not reason.message.endswith(".")
        assert not reason.remedy.endswith(".")
        assert reason.message[0].islower()


def test_a_more_specific_message_keeps_the_remedy():
    assert reason_for("stalled", "no video for 10 s").message == "no video for 10 s"
    assert reason_for("stalled", "x").remedy == REASONS["stalled"].remedy
    assert reason_for("no such code").message == REASONS["unknown"].message
