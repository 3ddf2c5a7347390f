"""`vas plugin check`: what a plugin does to its process is named, and what is wrong with a project is told."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli import main
from gateway.plugin_kit.check import check_target
from gateway.plugin_kit.findings import ERROR, WARNING
from tests.contracts.repository import ROOT

HOOK = "@hookimpl\ndef on_segment(segment):\n    pass\n"


def errors_of(folder, **options):
    return [
        one.message for report in check_target(str(folder), **options) for one in report.findings if one.level == ERROR
    ]


def test_a_plugin_that_is_right_is_usable(project):
    (report,) = check_target(str(project(HOOK)))
    assert (report.name, report.is_usable, report.findings) == ("one", True, ())


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import time\ntime.sleep(60)\n", "the import of 'vas_one' did not end within 3 s"),
        ("import ctypes\nctypes.string_at(0)\n", "the import of 'vas_one' ended the process by SIGSEGV"),
        ("import os\nprint('no licence')\nos._exit(0)\n", "the import of 'vas_one' ended the process (exit code 0)"),
        ("held = bytearray(5 << 30)\n", "it cannot be imported: MemoryError"),
        ("while True:\n    print('x' * 1000000)\n", "it cannot be imported: OSError"),
        ("import os\nos.closerange(3, 99)\nimport time\ntime.sleep(60)\n", "the import of 'vas_one' "),
    ],
)
def test_whatever_ends_or_stops_the_process_is_named_with_the_step(project, code, message):
    (report,) = check_target(str(project(code)), step_seconds=3 if "sleep" in code else 30)
    (finding,) = [one for one in report.findings if one.level == ERROR]
    assert finding.message.startswith(message)
    if "licence" in code:
        assert finding.remedy == "it wrote: no licence"


STARTS_ANOTHER = """
import subprocess

with open("PID", "w") as file:
    file.write(str(subprocess.Popen(["sleep", "600"]).pid))
"""


def test_a_process_that_a_plugin_starts_does_not_stay(project, tmp_path):
    assert errors_of(project(STARTS_ANOTHER.replace("PID", str(tmp_path / "pid")) + HOOK)) == []
    state = Path("/proc", (tmp_path / "pid").read_text(), "stat")
    # Who inherits it may not have waited for it yet.
    assert not state.exists() or state.read_text().split()[2] == "Z"


def test_imports_beyond_the_plugin_api_are_warnings(project):
    code = (
        "from gateway.media import Part\nfrom gateway.inventory import find_device\nimport gateway.api.base\n\n\n"
        + HOOK
    )
    (report,) = check_target(str(project(code)))
    told = [(one.level, one.line, one.message, one.remedy) for one in report.findings if "at any time" in one.message]
    assert told == [
        (WARNING, 8, "'gateway.media.Part' may change at any time", "import 'Part' from gateway.plugin_api"),
        (WARNING, 9, "'gateway.inventory.find_device' may change at any time", "use the names of gateway.plugin_api"),
        (
            WARNING,
            10,
            "'gateway.api.base' may change at any time",
            "import it from gateway.plugin_api.web, if it is there",
        ),
    ]
    assert "its import loads Flask in every process, which costs 20 MB" in [one.message for one in report.findings]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "has no pyproject.toml"),
        ({"pyproject.toml": "[project\n"}, "it is not TOML"),
        ({"pyproject.toml": b"\xff\xfe"}, "cannot be read"),
        ({"pyproject.toml": "[project]\nname = 'x'\n"}, "the project has no plugin"),
        ({"pyproject.toml": "project = 7\n"}, "the project has no plugin"),
        ({"pyproject.toml": "[project]\nentry-points = [1]\n"}, "the project has no plugin"),
        ({"pyproject.toml": '[project.entry-points."gateway.plugins"]\none = 7\n'}, "must name a module"),
        ({"pyproject.toml": '[project.entry-points."gateway.plugins"]\none = "a b"\n'}, "must name a module"),
        ({"setup.cfg": "no section\n"}, "cannot be read"),
    ],
)
def test_a_project_that_is_none_is_told_in_a_sentence(tmp_path, files, message):
    for name, content in files.items():
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    (told,) = errors_of(tmp_path)
    assert message in told


@pytest.mark.parametrize("target", ["nothing", "/nothing/at/all", "a\0b", "\udcff", "x" * 5000, ""])
def test_a_target_that_is_not_there_is_told(target, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (told,) = errors_of(target)
    assert "there is no folder" in told or "has no pyproject.toml" in told


def test_a_syntax_error_has_its_line(project):
    (report,) = check_target(str(project("def broken(:\n    pass\n")))
    (finding,) = [one for one in report.findings if one.level == ERROR]
    assert (finding.line, finding.file.endswith("vas_one.py")) == (8, True)
    assert "SyntaxError" in finding.message


def test_a_plugin_of_setup_cfg_and_a_folder_src_are_found(tmp_path):
    (tmp_path / "setup.cfg").write_text(
        "[metadata]\nname = x\n[options.entry_points]\ngateway.plugins =\n    one = vas_one\n"
    )
    (tmp_path / "README.md").write_text("# One\n")
    (tmp_path / "src" / "vas_one").mkdir(parents=True)
    code = '"""One."""\n\nfrom gateway.plugin_api import hookimpl\n\nrequires_plugin_api = ">=1"\n\n\n' + HOOK
    (tmp_path / "src" / "vas_one" / "__init__.py").write_text(code)
    (report,) = check_target(str(tmp_path / "setup.cfg"))
    assert (report.name, report.findings) == ("one", ())


def test_the_name_of_an_installed_plugin_is_taken(project):
    folder = project(HOOK, name="device_history")
    assert any("has a plugin of the name 'device_history'" in message for message in errors_of(folder))


EXAMPLES = sorted(path.parent for path in (ROOT / "docs/plugins/examples").glob("*/pyproject.toml"))


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.name)
def test_our_examples_have_no_findings(folder):
    (report,) = check_target(str(folder))
    assert (report.name, report.findings) == (folder.name, ())


@pytest.mark.parametrize("name", ["http_pictures", "s3_archiver"])
def test_our_own_plugins_are_usable(name):
    (report,) = check_target(name)
    assert report.is_usable, report.findings


def test_the_command_prints_places_remedies_and_an_exit_code(project, monkeypatch):
    folder = project("@hookimpl\ndef on_segmnt(segment):\n    pass\n")
    done = CliRunner().invoke(main, ["plugin", "check", str(folder)])
    assert done.exit_code == 1
    assert f"{folder}/vas_one.py:8: error: there is no hook 'on_segmnt'\n  did you mean 'on_segment'?" in done.output
    assert "plugin 'one': 1 errors, 0 warnings" in done.output
    done = CliRunner().invoke(main, ["plugin", "check", str(folder), "--json"])
    answer = json.loads(done.output)
    assert (done.exit_code, answer["ok"]) == (1, False)
    assert answer["plugins"][0]["findings"][0]["line"] == 8


def test_a_name_that_is_no_text_can_be_printed():
    done = CliRunner().invoke(main, ["plugin", "check", "\udcff"])
    assert (done.exit_code, type(done.exception)) == (1, SystemExit)


def test_the_present_folder_is_checked_by_default(project):
    folder = project(HOOK)
    command = [sys.executable, "-m", "gateway.cli", "plugin", "check"]
    variables = {**os.environ, "PYTHONPATH": f"{ROOT}"}
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, done.stdout) == (0, "plugin 'one': ok\n"), done.stderr
