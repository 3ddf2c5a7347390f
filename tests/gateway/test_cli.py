"""The `vas` command."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway import cli, database
from gateway.inventory import delete_device, list_devices
from gateway.migrations import known_migrations
from tests.conftest import free_port
from tests.factories import PASSWORD, SECRET_KEY, SFU_SECRET, SOURCE_URL, no_plugins

DEMO_FILE = Path(__file__).parents[2] / "deploy" / "demo" / "devices.json"


def test_a_release_loads_no_web_framework_because_every_start_waits_for_it():
    code = "import sys, gateway.cli; print(sorted({'flask', 'marshmallow', 'av', 'PIL'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture
def run(database_url, redis_url, tmp_path, monkeypatch):
    """Runs `vas` with its settings in the environment; returns exit code and output."""
    monkeypatch.chdir(tmp_path)
    environ = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SECRET_KEY": SECRET_KEY,
        "SFU_SECRET": SFU_SECRET,
        "VAR_DIR": str(tmp_path),
        "ALLOW_LOOPBACK_SOURCES": "1",
        "COLUMNS": "200",
        "MEDIASOUP_WS_URL": f"ws://127.0.0.1:{free_port()}",
    }
    monkeypatch.setattr(cli, "load_plugins", lambda _config: no_plugins())
    monkeypatch.setattr(cli.console, "width", 200, raising=False)

    def run(*arguments, **more):
        result = CliRunner().invoke(cli.main, list(arguments), env=environ | more)
        return result.exit_code, result.output

    yield run
    database.close()


def test_release_can_be_repeated(run):
    assert run("release") == (0, "database: up to date\n")


def test_release_creates_a_new_database(run, tmp_path):
    url = f"sqlite:///{tmp_path}/new.db"
    names = ", ".join(module.__name__.rpartition(".")[2] for module in known_migrations().values())
    assert run("release", DATABASE_URL=url) == (0, f"database: {names} applied\n")
    assert run("release", DATABASE_URL=url) == (0, "database: up to date\n")


def test_a_device_is_added_and_listed_without_its_password(run):
    code, output = run("devices", "add", "Gate", SOURCE_URL, "--tag", "a", "--tag", "b")
    assert (code, output.startswith("added Gate: ")) == (0, True)
    code, output = run("devices", "list")
    assert code == 0
    assert "Gate" in output
    assert "***@192.168.7.20" in output
    assert PASSWORD not in output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("x", "ftp://10.0.0.1/"), "must start with"),
        (("", "rtsp://10.0.0.1/"), "name"),
        (("x", "rtsp://169.254.169.254/"), "metadata"),
    ],
)
def test_an_error_is_one_sentence_without_a_traceback(run, arguments, words):
    code, output = run("devices", "add", *arguments)
    assert code == 1
    assert output.startswith("vas: ")
    assert words in output
    assert "Traceback" not in output


def test_demo_devices_are_registered_once_and_stay_deleted(run, scope):
    names = [entry["name"] for entry in json.loads(DEMO_FILE.read_text())]
    code, output = run("demo", "register", str(DEMO_FILE))
    assert code == 0, output
    assert all(name in output for name in names)
    devices, total = list_devices(scope)
    assert total == len(names)
    delete_device(scope, devices[0].id)
    assert run("demo", "register", str(DEMO_FILE)) == (0, "demo devices: already registered\n")
    assert list_devices(scope)[1] == len(names) - 1


def test_registering_demo_devices_does_not_change_other_devices(run, scope):
    name = json.loads(DEMO_FILE.read_text())[0]["name"]
    run("devices", "add", name, "rtsp://10.0.0.1/mine")
    code, _ = run("demo", "register", str(DEMO_FILE))
    assert code == 0
    assert [device.source_url for device in list_devices(scope)[0] if device.name == name] == ["rtsp://10.0.0.1/mine"]


def test_an_invalid_demo_file_adds_nothing(run, scope, tmp_path):
    file = tmp_path / "devices.json"
    for text in (
        "{",
        "{}",
        "[1]",
        '[{"name": "x"}]',
        '[{"name": "ok", "source_url": "rtsp://10.0.0.1/"}, {"name": "x"}]',
    ):
        file.write_text(text)
        code, output = run("demo", "register", str(file))
        assert code == 1, output
        assert str(file) in output or "'source_url'" in output
    assert list_devices(scope)[1] == 0


def test_doctor_exits_with_1_and_prints_the_remedy(run):
    code, output = run("doctor")
    assert code == 1
    assert "no stream worker runs" in output
    assert "start the stream process" in output


def test_doctor_as_json_has_the_shape_of_the_api(run):
    code, output = run("doctor", "--json")
    answer = json.loads(output)
    assert (code, set(answer)) == (1, {"status", "version", "components"})
    assert answer["components"]["database"]["status"] == "ok"
    assert "ffmpeg" in answer["components"]


def test_doctor_answers_while_everything_is_away(run):
    code, output = run(
        "doctor",
        REDIS_URL=f"redis://127.0.0.1:{free_port()}/0",
        DATABASE_URL=f"postgresql://vas:geheim@127.0.0.1:{free_port()}/vas",
    )
    assert code == 1
    assert "check DATABASE_URL" in output
    assert "geheim" not in output


def test_secrets_are_rotated(run, scope):
    run("devices", "add", "Gate", SOURCE_URL)
    new = {"SECRET_KEY": "a-brand-new-secret-key", "PREVIOUS_SECRET_KEYS": SECRET_KEY}
    assert run("secrets", "rotate", **new) == (0, "devices re-encrypted: 1\nplugin options re-encrypted: 0\n")
    assert run("secrets", "rotate", **new) == (0, "devices re-encrypted: 0\nplugin options re-encrypted: 0\n")


def test_an_invalid_setting_is_reported_in_one_sentence(run):
    code, output = run("release", LOG_LEVEL="LOUD")
    assert code == 1
    assert "'LOG_LEVEL'" in output


def test_the_openapi_document_is_printed(run):
    code, output = run("openapi")
    assert code == 0
    # The output of the runner begins with the log, which goes to standard error.
    assert json.loads(output[output.index("{\n") :])["openapi"] == "3.1.0"
