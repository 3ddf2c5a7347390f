"""Encryption at rest."""

import pytest

from gateway.secrets import SealBroken, SecretBox

OLD, NEW = "old-key-0123456789", "new-key-0123456789"


def test_a_sealed_text_can_be_opened_in_its_context_only():
    box = SecretBox(OLD)
    sealed = box.seal("rtsp://user:geheim@host", "device:1:source_url")
    assert "geheim" not in sealed
    assert box.open(sealed, "device:1:source_url") == "rtsp://user:geheim@host"
    with pytest.raises(SealBroken):
        box.open(sealed, "device:2:source_url")


def test_sealing_the_same_text_twice_gives_different_results():
    box = SecretBox(OLD)
    assert box.seal("x", "c") != box.seal("x", "c")


@pytest.mark.parametrize(
    "change",
    [lambda s: s[:-2] + "AA", lambda s: "v9" + s[2:], lambda s: s[:12], lambda _: "", lambda s: s + "!"],
)
def test_an_altered_text_is_refused(change):
    box = SecretBox(OLD)
    with pytest.raises(SealBroken):
        box.open(change(box.seal("text that is long enough", "c")), "c")


def test_a_rotated_key_still_opens_and_seals_with_the_new_one():
    sealed = SecretBox(OLD).seal("x", "c")
    box = SecretBox(NEW, [OLD])
    assert box.open(sealed, "c") == "x"
    assert not box.is_current(sealed)
    assert box.is_current(box.seal("x", "c"))
    with pytest.raises(SealBroken, match="PREVIOUS_SECRET_KEYS"):
        SecretBox(NEW).open(sealed, "c")


def test_the_key_is_not_in_repr():
    assert OLD not in repr(SecretBox(OLD))
