"""A process that a plugin ends leaves behind which plugin it was; one that ends in order leaves nothing."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from gateway.isolation.marks import ProcessMarks, Suspect, take_deaths


def run(folder: Path, code: str) -> int:
    """Run code in a process with marks; the name `marks` is there."""
    head = f"""
    import ctypes, os, signal, sys, threading, time
    from pathlib import Path
    from gateway.isolation.marks import ProcessMarks
    marks = ProcessMarks(Path({str(folder)!r}), "outputs")
    """
    source = textwrap.dedent(head) + textwrap.dedent(code)
    return subprocess.run([sys.executable, "-c", source], check=False, timeout=60, capture_output=True).returncode


@pytest.mark.parametrize(
    ("end", "is_certain"),
    [
        ("ctypes.string_at(0)", True),
        ("os.abort()", True),
        ("ctypes.CDLL(None)._exit(3)", False),
        ("os.kill(os.getpid(), signal.SIGKILL)", False),
    ],
)
def test_the_plugin_that_ended_its_process_is_found(tmp_path, end, is_certain):
    code = f"""
    with marks.inside("innocent", "take"):
        pass
    with marks.inside("guilty", "take"):
        {end}
    """
    assert run(tmp_path, code) != 0
    (death,) = take_deaths(tmp_path)
    assert (death.kind, death.suspects, death.is_certain) == ("outputs", (Suspect("guilty", "take"),), is_certain)
    assert take_deaths(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_a_stranger_that_was_alone_inside_is_certain(tmp_path):
    run(tmp_path, 'marks.know("guilty", "x")\nwith marks.inside("guilty", "check"):\n    ctypes.CDLL(None)._exit(3)')
    (death,) = take_deaths(tmp_path)
    assert death.is_certain


IN_ANOTHER_THREAD = """
entered = threading.Event()
def wait():
    with marks.inside("innocent", "take"):
        entered.set()
        time.sleep(60)
threading.Thread(target=wait, daemon=True).start()
entered.wait()
with marks.inside("guilty", "check"):
    {end}
"""


def test_a_plugin_in_another_thread_is_not_blamed(tmp_path):
    run(tmp_path, IN_ANOTHER_THREAD.format(end="ctypes.string_at(0)"))
    (death,) = take_deaths(tmp_path)
    assert death.suspects == (Suspect("guilty", "check"),)


def test_the_place_in_the_code_of_a_fatal_signal_is_told(tmp_path):
    run(tmp_path, 'def strange():\n    ctypes.string_at(0)\nwith marks.inside("guilty", "take"):\n    strange()')
    (death,) = take_deaths(tmp_path)
    assert "in strange" in death.trace


def test_where_nobody_knows_who_it_was_all_that_were_inside_are_suspects(tmp_path):
    run(tmp_path, IN_ANOTHER_THREAD.format(end="os.kill(os.getpid(), signal.SIGKILL)"))
    (death,) = take_deaths(tmp_path)
    assert {suspect.plugin for suspect in death.suspects} == {"innocent", "guilty"}
    assert not death.is_certain


@pytest.mark.parametrize(
    "code",
    [
        'with marks.inside("bad", "take"):\n    os._exit(3)',
        # In a thread that the plugin has started.
        "import json\nmarks.know('bad', 'json')\njson.loads('{}', object_hook=lambda _: os._exit(3))",
    ],
)
def test_a_plugin_does_not_end_its_process_by_os_exit(tmp_path, code):
    code = f"try:\n{textwrap.indent(code, '    ')}\nexcept SystemExit:\n    marks.close()\n    os._exit(7)"
    assert run(tmp_path, code) == 7
    assert take_deaths(tmp_path) == []


@pytest.mark.parametrize(
    "code",
    [
        "marks.close(); marks.close()",
        'with marks.inside("good", "take"):\n    pass\nos._exit(3)',
        "os.kill(os.getpid(), signal.SIGKILL)",
        # What a plugin forks may end as it likes.
        'with marks.inside("good", "take"):\n    pid = os.fork()\n    if not pid:\n        os._exit(3)\n'
        "os.waitpid(pid, 0)\nmarks.close()",
    ],
)
def test_a_death_outside_of_plugins_blames_nobody(tmp_path, code):
    run(tmp_path, code)
    assert take_deaths(tmp_path) == []


def test_the_marks_of_a_living_process_are_left_alone(tmp_path):
    marks = ProcessMarks(tmp_path, "web")
    with marks.inside("one", "take"), marks.inside("two", "on_segment"):
        assert take_deaths(tmp_path) == []
    marks.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("garbage", [b"", b"\0" * 40_000, b"{}", b'{"process": 7}'.ljust(20_000, b"\0")])
def test_a_file_that_is_no_mark_harms_nothing(tmp_path, garbage):
    (tmp_path / "stream-1-x.mark").write_bytes(garbage)
    assert take_deaths(tmp_path) == []
