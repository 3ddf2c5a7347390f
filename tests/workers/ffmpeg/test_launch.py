"""A process that reads bytes of cameras gets few variables and files, whatever the worker has."""

import json
import os
import resource
import select
import subprocess
import sys

import pytest

from gateway import sandbox
from tests.factories import make_config
from workers.ffmpeg.launch import Launcher

SECRET = "s3cr3t-of-the-worker"

needs_landlock = pytest.mark.skipif(not sandbox.version(), reason="the kernel has no Landlock")


def run(*lines: str, launcher: Launcher | None = None, folders: tuple[str, ...] = ()) -> subprocess.CompletedProcess:
    """Run lines of Python as the program, in the place of FFmpeg."""
    launcher = launcher or Launcher()
    program = [sys.executable, "-I", "-S", "-c", "\n".join(lines)]
    return subprocess.run(
        launcher.command(program, folders=folders),
        env=launcher.environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_only_variables_of_the_allow_list_are_passed(monkeypatch):
    secrets = ("SECRET_KEY", "SFU_SECRET", "DATABASE_URL", "REDIS_URL", "MEDIA_REDIS_URL", "AWS_SECRET_ACCESS_KEY")
    for name in (*secrets, "VAS_PATHLESS", "LC_TIME", "NVIDIA_VISIBLE_DEVICES", "FFREPORT", "http_proxy"):
        monkeypatch.setenv(name, SECRET)
    seen = json.loads(run("import json, os", "print(json.dumps(dict(os.environ)))").stdout)
    assert {name for name, value in seen.items() if value == SECRET} == {"LC_TIME", "NVIDIA_VISIBLE_DEVICES"}
    assert seen["PATH"] == os.environ["PATH"]


def test_the_operator_can_pass_further_variables():
    launcher = Launcher(variables=("ROCR_*", "MY_DRIVER"))
    environ = {"ROCR_VISIBLE_DEVICES": "0", "MY_DRIVER": "x", "MY_DRIVER_KEY": SECRET, "MALLOC_TRIM_THRESHOLD_": "1"}
    seen = launcher.environment(environ, VAS_DEVICE_ID="d1")
    assert seen == {
        "ROCR_VISIBLE_DEVICES": "0",
        "MY_DRIVER": "x",
        "MALLOC_TRIM_THRESHOLD_": "1",
        "AV_LOG_FORCE_NOCOLOR": "1",
        "VAS_DEVICE_ID": "d1",
    }


def test_settings_reach_the_launcher():
    config = make_config(ffmpeg_sandbox="required", ffmpeg_folders=("/srv/ts",), ffmpeg_variables=("A",))
    assert Launcher.from_config(config) == Launcher("required", ("/srv/ts",), ("A",))


@needs_landlock
@pytest.mark.parametrize("mode", ["auto", "required"])
def test_files_outside_the_programs_and_libraries_cannot_be_read(tmp_path, mode):
    (tmp_path / "vas.db").write_text(SECRET)
    done = run(f"print(open({str(tmp_path / 'vas.db')!r}).read())", launcher=Launcher(mode))
    assert done.returncode == 1
    assert "PermissionError" in done.stderr
    assert run(f"import os; print(os.listdir({str(tmp_path)!r}))").returncode == 1


@needs_landlock
def test_only_the_folders_of_outputs_can_be_written(tmp_path):
    for name in ("output", "other"):
        (tmp_path / name).mkdir()
    for name, code in (("output", 0), ("other", 1)):
        done = run(f"open({str(tmp_path / name / 'a.ts')!r}, 'w').write('x')", folders=(str(tmp_path / "output"),))
        assert done.returncode == code, done.stderr
    assert run("open('/etc/hosts', 'a')").returncode == 1


@needs_landlock
def test_the_environment_and_memory_of_the_worker_cannot_be_read(monkeypatch):
    other = subprocess.Popen(["/bin/sleep", "60"], env={"SECRET_KEY": SECRET})
    try:
        for pid in (os.getpid(), other.pid):
            for name in ("environ", "cmdline", "mem", "maps"):
                assert run(f"open('/proc/{pid}/{name}', 'rb').read(1)").returncode == 1
        assert run(f"import os; os.kill({other.pid}, 9)").returncode == (1 if sandbox.version() >= 6 else 0)
    finally:
        other.kill()
        other.wait()


@needs_landlock
def test_a_confined_program_still_resolves_names_and_verifies_certificates():
    done = run(
        "import socket, ssl",
        "print(socket.getaddrinfo('localhost', 554)[0][4][1], len(ssl.create_default_context().get_ca_certs()) > 0)",
    )
    assert done.stdout.split()[0] == "554", done.stderr


def test_a_crash_leaves_no_core_dump_and_no_program_gains_privileges():
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    done = run(
        "import resource",
        "print(resource.getrlimit(resource.RLIMIT_CORE))",
        "print([line for line in open('/proc/self/status') if line.startswith('NoNewPrivs')])",
    )
    assert done.stdout.splitlines() == ["(0, 0)", "['NoNewPrivs:\\t1\\n']"]
    assert resource.getrlimit(resource.RLIMIT_CORE)[1] == hard


def test_off_confines_nothing(tmp_path):
    (tmp_path / "a").write_text("text")
    assert run(f"print(open({str(tmp_path / 'a')!r}).read())", launcher=Launcher("off")).stdout == "text\n"


@pytest.mark.parametrize(
    ("mode", "code", "said"),
    [("auto", 0, ""), ("required", 78, "[fatal] FFMPEG_SANDBOX is 'required', but this system has no Landlock")],
)
def test_a_system_without_landlock_is_named_where_it_is_required(mode, code, said):
    lines = (
        "from gateway import sandbox",
        "import os, sys",
        "sandbox.version = lambda: 0",
        f"sys.exit(sandbox.main([str(os.getppid()), '0', {mode!r}, '--', '/bin/true']))",
    )
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert done.stderr.startswith(said)


def test_a_program_whose_worker_has_just_ended_does_not_start():
    command = Launcher("off").command(["/bin/true"])
    command[4] = "1" if os.getpid() != 1 else "2"
    assert subprocess.run(command, check=False).returncode == 1


def test_the_program_dies_with_its_worker(tmp_path):
    lines = (
        "import subprocess, sys",
        "from workers.ffmpeg.launch import Launcher",
        "child = subprocess.Popen(Launcher().command(['/bin/sleep', '600']))",
        "print(child.pid, flush=True)",
        "sys.stdin.read()",
    )
    worker = subprocess.Popen(
        [sys.executable, "-c", "\n".join(lines)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    pid = int(worker.stdout.readline())
    fd = os.pidfd_open(pid)
    worker.kill()
    worker.wait()
    assert select.select([fd], [], [], 20)[0], "the program outlived its worker"
    os.close(fd)


def test_a_program_that_is_not_installed_is_named():
    with pytest.raises(FileNotFoundError) as raised:
        Launcher().command(["no-such-ffmpeg"])
    assert raised.value.filename == "no-such-ffmpeg"


def test_ffmpeg_of_a_folder_of_its_own_finds_its_libraries(tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "lib").mkdir()
    program = tmp_path / "bin" / "ffmpeg"
    program.write_text(f"#!/bin/sh\ncat {tmp_path}/lib/libav.so\n")
    program.chmod(0o755)
    (tmp_path / "lib" / "libav.so").write_text("library")
    done = subprocess.run(Launcher().command([str(program)]), capture_output=True, text=True, check=False)
    assert done.stdout == "library", done.stderr
