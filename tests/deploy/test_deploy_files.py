"""The files for other supervisors run exactly the lines of the Procfile."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.contracts.repository import ROOT
from tests.stack.stack import read_procfile

LINES = read_procfile(ROOT / "Procfile")
PROCESSES = set(LINES) - {"release"}
#: Programs that the lines begin with.
PROGRAMS = ("python", "node", "gunicorn")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose programs print their arguments."""
    for name in ("Procfile", "deploy/run.sh"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    for name in PROGRAMS:
        program = tmp_path / ".venv/bin" / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text('#!/bin/sh\nprintf "%s|" "$(basename "$0")" "$@"\nprintf "$$"\n')
        program.chmod(0o755)
    return tmp_path


def run_line(checkout: Path, name: str, **env: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [checkout / "deploy/run.sh", name],
        cwd="/", env={"PATH": os.environ["PATH"], **env}, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("name", [*sorted(LINES), "stream-2", "record.3"])
def test_a_line_of_the_procfile_is_run_with_its_arguments(checkout, name):
    done = run_line(checkout, name, HOST="0.0.0.0", PORT="9000")
    program, *arguments, _pid = done.stdout.split("|")
    line = LINES[re.split("[-.]", name)[0]]
    assert program == line.split()[0], done.stderr
    if program == "gunicorn":
        assert arguments[arguments.index("--bind") + 1] == "0.0.0.0:9000"
        assert arguments[-1] == "gateway.app:create_app()"
    else:
        assert arguments == line.split()[1:]


def test_further_arguments_are_passed_to_the_line(checkout):
    done = subprocess.run(
        [checkout / "deploy/run.sh", "outputs", "a b; id"], cwd="/", capture_output=True, text=True, check=True
    )
    assert done.stdout.split("|")[:-1] == ["python", "-m", "workers", "outputs", "a b; id"]


def test_the_process_that_a_supervisor_starts_is_the_program_itself(checkout):
    with subprocess.Popen([checkout / "deploy/run.sh", "clock"], stdout=subprocess.PIPE, text=True) as process:
        assert int(process.communicate()[0].split("|")[-1]) == process.pid, "a signal reaches it"


@pytest.mark.parametrize("name", ["nothing", "", "web; id", ".*"])
def test_an_unknown_line_is_refused(checkout, name):
    done = run_line(checkout, name)
    assert done.returncode != 0
    assert done.stdout == ""


def test_the_target_of_systemd_starts_every_process():
    target = (ROOT / "deploy/systemd/vas.target").read_text()
    assert set(re.findall(r"vas@(\w+)\.service", target)) == PROCESSES
    unit = (ROOT / "deploy/systemd/vas@.service").read_text()
    assert "ExecStart=/opt/vas/deploy/run.sh %i\n" in unit
    # A repair by a person is needed: no restart helps.
    assert "RestartPreventExitStatus=78\n" in unit


def test_the_containers_of_compose_are_the_processes_and_their_services():
    services = yaml.safe_load((ROOT / "deploy/compose/compose.yaml").read_text())["services"]
    ours = {name: service for name, service in services.items() if service["image"] == "vas"}
    assert set(ours) == set(LINES)
    assert set(services) - set(ours) == {"redis", "redis-media", "postgres"}
    for name, service in ours.items():
        assert service["command"] == ["deploy/run.sh", name]
        assert service["restart"] == ("no" if name == "release" else "always")
        for secret in ("SECRET_KEY", "SFU_SECRET"):
            # Each container would otherwise make up its own.
            assert service["environment"][secret].startswith(f"${{{secret}:?")


def test_the_image_holds_what_the_processes_need():
    dockerfile = (ROOT / "deploy/compose/Dockerfile").read_text()
    for path in re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE):
        for name in path.split():
            assert (ROOT / name).exists(), name
    assert "pip install --no-cache-dir -r requirements.txt" in dockerfile


def test_the_requirements_of_a_platform_include_the_project_with_its_entry_points():
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    assert [line for line in lines if not line.startswith("#")] == ["-r requirements/run.txt", "."]
