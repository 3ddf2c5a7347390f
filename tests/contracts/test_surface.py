"""Routes, schemas, settings, messages, hooks and migrations change only on purpose."""

from tests.contracts.surface import SURFACE, describe_surface


def test_the_public_surface_is_the_recorded_one(tmp_path):
    """A line that is gone breaks somebody's client, deployment or plugin; a new one is a promise.

    Where it is intended: `python -m tests.contracts.surface`, and a line in the changelog.
    """
    recorded = set(SURFACE.read_text(encoding="utf-8").splitlines())
    present = set(describe_surface(tmp_path))
    assert present - recorded == set(), "new: record them with `python -m tests.contracts.surface`"
    assert recorded - present == set(), "gone or renamed"
