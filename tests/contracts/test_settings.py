"""docs/settings.md and the code agree: every setting is documented, and every documented setting exists."""

import re

import pytest

from gateway.config import describe_settings
from tests.contracts.repository import ROOT, tracked_files

DOCUMENT = (ROOT / "docs/settings.md").read_text(encoding="utf-8")


def section(title: str) -> dict[str, tuple[str, str, str]]:
    """Default, unit and meaning by name, from the table under a heading."""
    text = DOCUMENT.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    rows = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == 4 and cells[0].startswith("`"):
            name, default, unit, about = (cell.replace("\\|", "|") for cell in cells)
            assert name.strip("`") not in rows, f"{name} appears twice"
            rows[name.strip("`")] = (default.strip("`"), unit, about)
    return rows


def test_the_gateways_settings_are_documented_with_default_unit_and_meaning():
    expected = {item.name: (item.default, item.unit, item.about) for item in describe_settings()}
    assert section("Gateway and workers") == expected


def read_sfu_settings() -> dict[str, str]:
    """Name and default of each setting of sfu/lib/config.js."""
    text = (ROOT / "sfu/lib/config.js").read_text(encoding="utf-8")
    table = text.partition("export const SETTINGS = [")[2].partition("\n];")[0]
    rows = re.findall(r"\['([A-Z_]+)', '\w+', .+?, (?:'(.*?)'|String\(.*\))\],", table)
    assert len(rows) == table.count("\n  ["), "a row that this test cannot read"
    return dict(rows)


def test_the_sfus_settings_are_documented_with_their_defaults():
    assert {name: row[0] for name, row in section("SFU").items()} == read_sfu_settings()


def test_settings_of_both_have_the_same_default():
    ours = {item.name: item.default for item in describe_settings()}
    for name, default in read_sfu_settings().items():
        assert ours.get(name, default) == default, name


@pytest.mark.parametrize("name", section("Set-up and `make run`"))
def test_the_settings_of_set_up_are_read_by_it(name: str):
    rooms = ("deploy/", "sfu/worker/")
    sources = [p for p in tracked_files() if p.suffix in {".py", ".sh"} and str(p.relative_to(ROOT)).startswith(rooms)]
    assert any(f'"{name}"' in path.read_text(encoding="utf-8") for path in sources)


def test_the_settings_that_set_up_reads_are_documented():
    known = (
        {item.name for item in describe_settings()} | set(read_sfu_settings()) | set(section("Set-up and `make run`"))
    )
    #: Variables of the system, or passed between our own programs.
    inner = {"PATH", "PYTHONUNBUFFERED", "HOME", "CI"}
    pattern = re.compile(r"(?:environ|env)(?:\.get|\.setdefault)?[\[(]\"([A-Z][A-Z_]+)\"")
    for path in tracked_files():
        if path.suffix == ".py" and str(path.relative_to(ROOT)).startswith(("deploy/", "sfu/worker/")):
            for name in pattern.findall(path.read_text(encoding="utf-8")):
                assert name in known | inner, f"{path.name} reads '{name}', which docs/settings.md does not document"


def test_the_example_file_names_only_settings_that_exist():
    known = (
        {item.name for item in describe_settings()} | set(read_sfu_settings()) | set(section("Set-up and `make run`"))
    )
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    names = re.findall(r"^#?([A-Z][A-Z_]+)=", example, re.MULTILINE)
    assert names
    assert [name for name in names if name not in known] == []


def test_every_setting_is_used_somewhere():
    sources = [
        path.read_text(encoding="utf-8")
        for path in tracked_files()
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in {"gateway", "workers", "plugins"}
    ]
    procfile = (ROOT / "Procfile").read_text(encoding="utf-8")
    for item in describe_settings():
        word = item.name.lower()
        used = any(f".{word}" in text for text in sources) or item.name in procfile or word == "media_redis_url"
        assert used, f"'{item.name}' is a setting that nothing reads"
