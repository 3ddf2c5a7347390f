"""`vas plugin new`: the project that it writes is right, and bad names and places are refused in a sentence."""

import os
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli import main
from gateway.plugin_kit.check import check_target
from gateway.plugin_kit.scaffold import create_project
from tests.contracts.repository import ROOT


def new(*arguments: str):
    return CliRunner().invoke(main, ["plugin", "new", *arguments])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return create_project("door_bell", tmp_path)


def test_the_project_is_right(folder):
    assert folder.name == "vas-door-bell"
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    expected = ["README.md", "pyproject.toml", "tests/conftest.py", "tests/test_door_bell.py", "vas_door_bell.py"]
    assert files == sorted(expected)
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert (project["name"], project["entry-points"]["gateway.plugins"]) == (
        "vas-door-bell",
        {"door_bell": "vas_door_bell"},
    )
    assert all("$" not in path.read_text() for path in folder.rglob("*") if path.is_file())
    (report,) = check_target(str(folder))
    assert (report.name, report.findings) == ("door_bell", ())


def test_the_project_is_written_in_our_style(folder):
    ruff = Path(sys.executable).with_name("ruff")
    for command in (["format", "--check"], ["check", "--select", "E,W,F,I,B,UP,N"]):
        done = subprocess.run(
            [ruff, *command, "--isolated", "--line-length", "120", folder], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout


def test_the_tests_of_the_project_pass(folder):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    # With the cache it would leave a folder that is not of the project.
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert "3 passed" in done.stdout, done.stdout + done.stderr


def test_an_installed_project_is_loaded(folder, monkeypatch):
    """Installed as a package manager does it: a folder in the path with the metadata of the entry point."""
    information = folder / "vas_door_bell-0.1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: vas-door-bell\nVersion: 0.1\n")
    (information / "entry_points.txt").write_text("[gateway.plugins]\ndoor_bell = vas_door_bell\n")
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{folder}"}
    command = [sys.executable, "-m", "gateway.cli", "plugin", "check", "door_bell"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "plugin 'door_bell': ok\n"), done.stderr
    monkeypatch.syspath_prepend(str(folder))
    assert "door_bell" in {point.name for point in entry_points(group="gateway.plugins")}
    refused = new("door_bell", "--into", str(folder))
    assert "'door_bell' is the name of a plugin of 'vas-door-bell'" in refused.output


def test_the_next_commands_are_printed(tmp_path):
    done = new("door_bell", "--into", str(tmp_path))
    assert done.exit_code == 0, done.output
    written, check, test, install = done.output.splitlines()
    folder = str(tmp_path / "vas-door-bell")
    assert written == f"written: {folder}"
    assert f"plugin check {folder}" in check
    assert f"-m pytest {folder}" in test
    assert f"-m pip install -e {folder}" in install


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("Door-Bell", "not 'Door-Bell', such as 'door_bell'"),
        ("1st", "must be lower-case"),
        ("", "must be lower-case"),
        ("../evil", "must be lower-case"),
        ("a" * 41, "must be lower-case"),
        ("türklingel", "must be lower-case"),
        ("class", "'class' is a word of Python"),
        ("match", "'match' is a word of Python"),
        ("a__b", "no two in a row"),
        ("a_", "no '_' at its end"),
        ("hls_recorder", "'hls_recorder' is the name of a plugin of 'video-aggregation-service'"),
    ],
)  # fmt: skip
def test_a_bad_name_is_refused(tmp_path, name, sentence):
    done = new(name, "--into", str(tmp_path))
    assert done.exit_code == 1
    assert sentence in done.output
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(folder):
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    done = new("door_bell", "--into", str(folder.parent))
    assert (done.exit_code, "exists: choose another name or folder" in done.output) == (1, True)
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_that_is_not_there_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "nothing", tmp_path / "file"):
        done = new("one", "--into", str(place))
        assert (done.exit_code, f"there is no folder '{place}'" in done.output) == (1, True)


def test_a_disk_that_is_full_leaves_nothing(tmp_path, monkeypatch):
    def refuse(*_arguments, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", refuse)
    done = new("one", "--into", str(tmp_path))
    assert (done.exit_code, "cannot be written: No space left on device" in done.output) == (1, True)
    assert list(tmp_path.iterdir()) == []
