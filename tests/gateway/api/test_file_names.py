"""File names of downloads, in any script and on any system."""

import pytest
from flask import Response
from werkzeug.http import parse_options_header

from gateway.api.file_names import name_file, safe_name


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("Front gate", "Front gate.mp4"),
        ("../etc", "etc.mp4"),
        ("..\\..\\etc", "etc.mp4"),
        ("/etc/passwd", "etc_passwd.mp4"),
        ("a/../../b", "a_.._.._b.mp4"),
        (" ./. /x", "x.mp4"),
        (".hidden", "hidden.mp4"),
        ("x. ", "x.mp4"),
        ("..", "export.mp4"),
        ("/", "export.mp4"),
        ("", "export.mp4"),
        ("???", "export.mp4"),
        ("\u202e\u200f", "export.mp4"),
        ("門の前", "門の前.mp4"),
        ("clip\u202e4pm.exe", "clip4pm.exe.mp4"),
        ("\u2067\u202a../x\u2069\u061c", "x.mp4"),
        ("a\r\nSet-Cookie: b\x85\u2028c", "a_Set-Cookie_ b_c.mp4"),
        ("a\ud800b", "a_b.mp4"),
        ('a"b;c=d', "a_b;c=d.mp4"),
        ("CON", "_CON.mp4"),
        ("com1.x", "_com1.x.mp4"),
        ("console", "console.mp4"),
    ],
)
def test_a_file_name_is_valid_on_every_system(stem, name):
    assert safe_name(stem, "mp4", "export") == name


def test_a_file_name_fits_into_every_file_system():
    for stem in ("a" * 500, "門" * 500, "\U0001f4f7" * 500, "\u202e" * 500 + "a"):
        name = safe_name(stem, "mp4", "export")
        assert len(name.encode()) <= 240
        assert len(name) <= 124
        assert name == name.encode().decode()


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("Front gate.mp4", "Front gate.mp4"),
        ("Tür 1.mp4", "T_r 1.mp4"),
        ("門の前.mp4", "file.mp4"),
        ("門 2.mp4", "_ 2.mp4"),
        ("100%41.mp4", "100_41.mp4"),
        ("a\ud800.mp4", "a_.mp4"),
    ],
)
@pytest.mark.parametrize("is_attachment", [True, False])
def test_the_name_of_a_reply_is_complete_and_has_a_plain_form(name, plain, is_attachment):
    """RFC 6266: `filename*` in UTF-8, and `filename` in ASCII for clients that do not know it, never only `.mp4`."""
    header = name_file(Response(), name, is_attachment=is_attachment).headers["Content-Disposition"]
    assert header.startswith(f'{"attachment" if is_attachment else "inline"}; filename="{plain}"')
    assert header.isascii()
    read = parse_options_header(header)[1]["filename"]
    assert read == (name if name.isprintable() else "a?.mp4")
