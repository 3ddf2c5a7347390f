"""Reads the source files of a plugin: imports beyond `gateway.plugin_api` are named, nothing is executed."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from gateway import plugin_api
from gateway.plugin_kit.findings import ERROR, WARNING, Finding

#: All that a plugin may import of VAS; its tests may import the fixtures too.
PUBLIC = ("gateway.plugin_api", "gateway.plugin_api.web")
_TESTS = "gateway.testing"
#: Rooms of VAS, which other packages may have as names of modules of their own.
_ROOMS = ("gateway", "workers", "plugins")
_MOST_FILES = 1000


def find_sources(module: str, folders: list[Path]) -> list[Path]:
    """The source files of a plugin's package or module in the folders of its project."""
    top = module.partition(":")[0].split(".")
    for folder in folders:
        # The package itself where it is one of several in a folder.
        for count in range(len(top), 0, -1):
            place = folder.joinpath(*top[:count])
            if place.is_dir() and (place / "__init__.py").is_file():
                return sorted(place.rglob("*.py"))[:_MOST_FILES]
            if place.with_suffix(".py").is_file():
                return [place.with_suffix(".py")]
    return []


def check_sources(files: list[Path], own: str) -> Iterator[Finding]:
    """What a plugin's files import that may change at any time. `own` is the module of the plugin."""
    package = own.partition(":")[0]
    for file in files:
        try:
            tree = ast.parse(file.read_bytes(), filename=str(file))
        except SyntaxError as error:
            yield Finding(ERROR, f"it is not Python: {error.msg}", "correct it", str(file), error.lineno)
            continue
        except (OSError, ValueError, RecursionError) as error:
            yield Finding(ERROR, f"it cannot be read: {error}", "", str(file))
            continue
        for node in ast.walk(tree):
            yield from _check_node(node, file, package)


def _check_node(node: ast.AST, file: Path, package: str) -> Iterator[Finding]:
    names: list[tuple[str, str]] = []
    if isinstance(node, ast.Import):
        names = [(alias.name, "") for alias in node.names]
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        names = [(node.module, alias.name) for alias in node.names]
    for module, name in names:
        whole = f"{module}.{name}" if name else module
        if module in PUBLIC or whole in PUBLIC or module.partition(".")[0] not in _ROOMS:
            continue
        if f"{module}.".startswith(f"{package}.") or module == _TESTS or module.startswith(f"{_TESTS}."):
            continue
        if module.partition(".")[0] == "gateway" or _is_ours(module):
            yield Finding(
                WARNING, f"'{whole}' may change at any time", _find_remedy(module, name), str(file), node.lineno
            )


def _is_ours(module: str) -> bool:
    """Whether a module of this name is one of VAS: `workers` may be a stranger's own package too."""
    root = Path(plugin_api.__file__).parents[2]
    place = root.joinpath(*module.split("."))
    return place.is_dir() or place.with_suffix(".py").is_file()


def _find_remedy(module: str, name: str) -> str:
    if _is_public(module, name):
        return f"import '{name}' from gateway.plugin_api"
    if module.startswith("gateway.api"):
        return "import it from gateway.plugin_api.web, if it is there"
    if module.partition(".")[0] == "gateway":
        return "use the names of gateway.plugin_api"
    return "a plugin may not import from workers, nor from another plugin"


def _is_public(module: str, name: str) -> bool:
    """Whether gateway.plugin_api has this object of a module of VAS by the same name."""
    if name not in plugin_api.__all__ or module.partition(".")[0] != "gateway":
        return False
    if name == "database":
        return module == "gateway"
    try:
        return getattr(import_module(module), name) is getattr(plugin_api, name)
    except (ImportError, AttributeError):
        return False
