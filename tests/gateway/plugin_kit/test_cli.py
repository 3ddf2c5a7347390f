"""`vas plugin list` and `drop-data`: sentences for people, names for the program that starts processes."""

import pytest
from click.testing import CliRunner, Result

from gateway import database, migrations
from gateway.cli import main
from gateway.config import Config


class Commands:
    """Runs commands with these settings."""

    def __init__(self, settings: dict[str, str]) -> None:
        self.settings = settings

    def __call__(self, *arguments: str) -> Result:
        return CliRunner().invoke(main, ["plugin", *arguments], env=self.settings)


@pytest.fixture
def run(tmp_path):
    """Run a command on an empty installation."""
    settings = {
        "VAR_DIR": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path}/vas.db",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "COLUMNS": "200",
        "PLUGINS_OFF": "device_history",
    }
    yield Commands(settings)
    database.close()


def test_the_list_has_the_states_of_plugins_also_without_redis(run):
    done = run("list")
    assert done.exit_code == 0, done.output
    lines = {line.split()[0]: line for line in done.output.splitlines()}
    assert "running" in lines["hls_recorder"]
    assert "it is switched off (PLUGINS_OFF)" in lines["device_history"]


def test_the_processes_of_outputs_are_listed_by_name_alone(run):
    assert run("list", "--processes").output.split() == ["analytics"]


def test_a_plugin_without_tables_has_no_data(run):
    database.connect(Config.from_environment(run.settings))
    migrations.migrate()
    assert run("drop-data", "nothing").output == "plugin 'nothing' has no tables\n"


@pytest.mark.parametrize("command", [["list"], ["list", "--processes"], ["drop-data", "nothing"]])
def test_a_wrong_setting_is_told_in_a_sentence(run, command):
    run.settings["DATABASE_URL"] = "mysql://x"
    done = run(*command)
    assert (done.exit_code, type(done.exception)) == (1, SystemExit)
    assert done.output.startswith("vas: 'DATABASE_URL'")
