"""The tutorial for authors of plugins: its commands and files in order, in a clean folder, up to a running product."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.testing.fixtures import demo_camera
from gateway.testing.product import Product
from tests.contracts.repository import ROOT

__all__ = ["demo_camera"]

pytestmark = pytest.mark.integration

TUTORIAL = ROOT / "docs/plugins/tutorial.md"
#: `sh` blocks are run, `python FILE` blocks written; others are for readers.
BLOCK = re.compile(r"^```(sh|python)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: Commands as the author's environment has them. pip installs into a folder, without network.
COMMANDS = {
    "python": 'exec {python} "$@"',
    "vas": 'exec {python} -m gateway.cli "$@"',
    "pip": 'test "$*" = "install -e ." && exec {python} -m pip install -q --no-deps --no-build-isolation --no-index '
    '--disable-pip-version-check --target "{site}" .',
}


@pytest.fixture(scope="module")
def author(tmp_path_factory):
    """The author's folder and a product that has not been started: `author.run(commands)`."""
    folder, product = tmp_path_factory.mktemp("author"), Product()
    author = Author(folder, product)
    yield author
    product.close()


class Author:
    """Types what the tutorial says. `where`: the folder in which the author is."""

    def __init__(self, folder: Path, product: Product) -> None:
        self.where, self.product, self.site = folder, product, folder / "site"
        commands = folder / "bin"
        commands.mkdir()
        for name, line in COMMANDS.items():
            (commands / name).write_text("#!/bin/sh\n" + line.format(python=sys.executable, site=self.site) + "\n")
            (commands / name).chmod(0o755)
        product.env["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(self.site)])
        self.env = {**product.env, "PATH": f"{commands}{os.pathsep}{product.env['PATH']}"}

    def run(self, commands: str) -> str:
        """Run lines of a shell; the folder in which they end is the next one's."""
        commands = commands.replace("localhost:8000", f"127.0.0.1:{self.product.port}")
        done = subprocess.run(
            ["bash", "-e", "-c", f"{commands}\npwd > {self.where.parent / 'where'}"],
            cwd=self.where, env=self.env, capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{commands}\n{done.stdout}{done.stderr}"
        self.where = Path((self.where.parent / "where").read_text().strip())
        return done.stdout


def test_the_tutorial_leads_to_events_of_a_camera(author, demo_camera):
    blocks = BLOCK.findall(TUTORIAL.read_text())
    assert [file for _, file, _ in blocks if file] == ["vas_night_watch.py", "./tests/test_night_watch.py"]
    outputs = []
    for language, file, text in blocks:
        if language == "python":
            (author.where / file).write_text(text)
            continue
        if "curl" in text:
            author.product.start()
            author.product.wait_for_state(author.product.add_device("Gate", demo_camera)["id"], "running")
        outputs.append(author.run(text))
    created, tested, installed, asked = outputs
    assert "3 passed" in created
    assert "2 passed" in tested
    assert "night_watch" in installed
    assert json.loads(asked[asked.rindex("[") :]) == [] or "dark" in asked
    read = "curl -s 'http://localhost:8000/api/v1/events?plugin=night_watch'"
    author.product.wait_until(lambda: '"dark"' in author.run(read), 15, "the picture is dark")
