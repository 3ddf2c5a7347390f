"""Rules of the code that decides who may see and change what."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.contracts.repository import ROOT, python_files, relative


def web_files() -> Iterator[Path]:
    """The files that answer requests."""
    yield from (path for path in python_files("gateway") if relative(path).startswith("gateway/api/"))
    yield from (path for path in python_files("plugins") if path.name == "routes.py")


def attributes(path: Path) -> Iterator[tuple[str, ast.AST]]:
    """Each `request.…` in a file, by the name of the attribute."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "request":
            yield node.attr, node


def files_that_read(*names: str) -> set[str]:
    return {relative(path) for path in web_files() for name, _ in attributes(path) if name in names}


def test_no_route_reads_the_rows_of_all_tenants():
    wide = {"EVERY_TENANT", "EVERY_RECORDING", "EveryTenantScope"}
    found = {
        relative(path)
        for path in web_files()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and wide & {name.name for name in node.names}
    }
    assert found == set()


def test_decisions_are_made_by_endpoint_and_not_by_path():
    """A proxy and this process may read a path differently. The 404 handler of the UI only chooses a page or an error,
    and messages quote the path."""
    readers = files_that_read("path", "full_path", "url", "base_url", "script_root", "root_url", "environ")
    allowed = {
        "gateway/api/pages.py",
        "gateway/api/errors.py",
        "gateway/api/protection.py",
        "gateway/api/jobs/routes.py",
    }
    assert readers <= allowed
    text = (ROOT / "gateway/api/protection.py").read_text(encoding="utf-8")
    assert "request.path" not in text
    assert text.count("request.environ") == 1  # `Host` as it was sent


def test_the_address_of_a_client_is_read_in_one_place():
    assert files_that_read("remote_addr", "access_route") == {"gateway/api/base.py"}


def test_only_the_middleware_reads_the_headers_of_proxies():
    found = {
        relative(path)
        for path in python_files("gateway", "plugins")
        if "FORWARDED" in path.read_text(encoding="utf-8").upper().replace("FORWARDED_ALLOW_IPS", "")
    }
    assert found <= {"gateway/api/proxies.py", "gateway/api/protection.py", "gateway/config.py"}
