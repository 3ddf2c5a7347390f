"""The child process of `vas plugin check`: imports one plugin, and calls what a product would call at its start.

It reads one request (JSON) from its standard input and writes messages, one line of JSON each, to the file descriptor
in its argument: the `step` that begins, each `finding`, and `done`. Whatever the plugin does to this process, its
parent names the step. It ends when its input ends.
"""

import importlib
import inspect
import json
import os
import resource
import sys
import threading
import types
import warnings
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from gateway.hookspecs import Hooks
from gateway.plugin_kit.calls import CheckingManager, HookCalls, make_config
from gateway.plugin_kit.findings import ERROR, WARNING, Finding
from gateway.plugin_kit.places import describe, place_of, place_of_code
from gateway.plugin_kit.project import find_installed
from gateway.plugin_loading import build_parts
from gateway.plugin_manager import ENTRY_POINT_GROUP
from gateway.plugin_version import REQUIREMENT, WrongVersion, check_version

_HOOKS = [name for name, member in vars(Hooks).items() if inspect.isfunction(member) and name[0] != "_"]

#: Largest file that the process may write, such as its output, and most memory that it may take.
_MOST_FILE_BYTES, _MOST_MEMORY_BYTES = 256 << 20, 4 << 30


class Stop(Exception):
    """Nothing more can be checked."""


class Inspection:
    """The checks of one plugin, in their order."""

    def __init__(self, request: dict[str, Any], send: Callable[[dict[str, Any]], None]) -> None:
        self._name: str = request["name"]
        self._value: str = request["value"]
        self._package: str = request["package"]
        self._folders: list[str] = request["folders"]
        self._send = send
        config = make_config(Path(request["scratch"]))
        self._manager = CheckingManager(config, lambda context: build_parts(context, self._manager))

    def run(self) -> None:
        """All checks."""
        try:
            module = self._load()
            self._check_version(module)
            plugin = self._create(module)
            implemented = self._check_hooks(plugin)
            self._load_others()
            self._register(plugin)
            HookCalls(self._manager, self._name, implemented, self._step, self._report).run()
        except Stop:
            return
        except Exception as error:
            # Objects of a plugin may do anything where they are looked at.
            place = place_of(error, self._manager.own_folders)
            self._report(ERROR, f"the check failed: {describe(error)}", "", place)

    def _step(self, text: str) -> None:
        self._send({"step": text})

    def _report(self, level: str, message: str, remedy: str = "", place: tuple[str, int] | None = None) -> None:
        file, line = place or (None, None)
        self._send({"finding": Finding(level, message, remedy, file, line).to_dict()})

    def _fail(self, message: str, remedy: str = "", place: tuple[str, int] | None = None) -> NoReturn:
        self._report(ERROR, message, remedy, place)
        raise Stop

    def _load(self) -> Any:
        self._step(f"the import of '{self._value}'")
        sys.path[:0] = self._manager.own_folders = self._folders
        module_name, _, attribute = self._value.partition(":")
        has_flask = "flask" in sys.modules
        try:
            module = importlib.import_module(module_name)
            found = module
            for part in filter(None, attribute.split(".")):
                found = getattr(found, part)
        except BaseException as error:
            self._fail(
                f"it cannot be imported: {describe(error)}",
                _remedy_of(error),
                place_of(error, self._manager.own_folders),
            )
        self._manager.own_folders = [*self._folders, *_folders_of(module)]
        if not has_flask and "flask" in sys.modules:
            remedy = (
                "import gateway.plugin_api.web and Flask in the module of your routes, and that in register_blueprints"
            )
            self._report(WARNING, "its import loads Flask in every process, which costs 20 MB", remedy)
        if not (getattr(module, "__doc__", None) or "").strip():
            place = (getattr(module, "__file__", None) or module_name, 1)
            self._report(WARNING, "its module has no docstring", "its first line is the description in the API", place)
        return found

    def _check_version(self, module: Any) -> None:
        try:
            check_version(module)
        except WrongVersion as error:
            self._fail(error.message, error.remedy)
        if getattr(module, REQUIREMENT, None) is None:
            self._report(WARNING, f"it has no '{REQUIREMENT}'", f'write {REQUIREMENT} = ">=1.0,<2" in its module')

    def _create(self, module: Any) -> Any:
        create = getattr(module, "create_plugin", None)
        if create is None:
            return module
        self._step("create_plugin")
        for name, function in vars(module).items():
            if inspect.isfunction(function) and self._manager.parse_hookimpl_opts(module, name) is not None:
                remedy = "make it a method of the class whose object create_plugin returns"
                problem = f"'{name}' is not called, because the module has create_plugin"
                self._report(ERROR, problem, remedy, place_of_code(function))
        try:
            return create()
        except BaseException as error:
            self._fail(f"create_plugin failed: {describe(error)}", "", place_of(error, self._manager.own_folders))

    def _check_hooks(self, plugin: Any) -> dict[str, Callable[..., Any]]:
        """The implementations by their hooks; those that cannot work are named."""
        found: dict[str, Callable[..., Any]] = {}
        is_wrong = False
        for name in dir(plugin):
            function = inspect.getattr_static(plugin, name, None)
            if isinstance(function, property):
                continue
            function = getattr(plugin, name, None)
            options = self._manager.parse_hookimpl_opts(plugin, name)
            if options is None:
                if name in _HOOKS and inspect.isroutine(function) and self._is_own(function):
                    self._report(ERROR, f"'{name}' is not called", "put '@hookimpl' above it", place_of_code(function))
                continue
            hook = options.get("specname") or name
            place = place_of_code(function)
            if hook not in _HOOKS:
                self._report(ERROR, f"there is no hook '{hook}'", _suggest(hook, _HOOKS), place)
                is_wrong = True
            elif problems := _check_function(hook, function, options):
                for level, message, remedy in problems:
                    self._report(level, message, remedy, place)
                    is_wrong |= level == ERROR
                found[hook] = function
            else:
                found[hook] = function
        if is_wrong:
            raise Stop
        if not found and (classes := self._classes_with_hooks(plugin)):
            remedy = f"define create_plugin() in the module, and return {classes[0]}(…) there"
            self._fail(f"the hooks of the class '{classes[0]}' are not called", remedy)
        if not found:
            self._fail("it implements no hook", "mark a function with '@hookimpl': plugins/README.md lists the hooks")
        return found

    def _classes_with_hooks(self, module: Any) -> list[str]:
        classes = [
            one for one in getattr(module, "__dict__", {}).values() if inspect.isclass(one) and self._is_own(one)
        ]
        marked = self._manager.parse_hookimpl_opts
        return [one.__name__ for one in classes if any(marked(one, name) is not None for name in vars(one))]

    def _load_others(self) -> None:
        """Load what else is installed: two plugins may not have an output, a scheme or a route of the same name."""
        self._step("loading the other installed plugins")
        for point in find_installed():
            package = point.dist.name if point.dist is not None else ""
            if point.name != self._name:
                self._manager.load(point)
            elif point.value != self._value and _normal(package) != _normal(self._package):
                problem = f"'{package}' has a plugin of the name '{self._name}' and is installed too"
                self._report(ERROR, problem, f"choose another name below '{ENTRY_POINT_GROUP}'")
        self._manager.faulty.clear()

    def _register(self, plugin: Any) -> None:
        self._step("registering its hooks")
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                self._manager.register(plugin, name=self._name)
        except Exception as error:
            self._fail(f"its hooks cannot be registered: {describe(error)}")
        for one in caught:
            if issubclass(one.category, DeprecationWarning):
                self._report(WARNING, str(one.message), "", (one.filename, one.lineno))

    def _is_own(self, function: Any) -> bool:
        package = self._value.partition(":")[0].partition(".")[0]
        return (getattr(function, "__module__", None) or "").partition(".")[0] == package


def _check_function(hook: str, function: Any, options: dict[str, Any]) -> list[tuple[str, str, str]]:
    """What is wrong with an implementation: level, message, remedy."""
    problems = []
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        problems.append((ERROR, f"'{hook}' is a coroutine or a generator", "write it as a plain function"))
    if any(options.get(key) for key in ("wrapper", "hookwrapper")):
        problems.append((ERROR, f"'{hook}' is a wrapper, and VAS calls none", "write '@hookimpl' without arguments"))
    known = [name for name in inspect.signature(getattr(Hooks, hook)).parameters if name != "self"]
    for one in inspect.signature(function).parameters.values():
        if one.kind in (one.VAR_KEYWORD, one.VAR_POSITIONAL):
            problems.append(
                (WARNING, f"'{one.name}' of '{hook}' stays empty", f"name the arguments: {', '.join(known)}")
            )
        elif one.name not in known:
            problems.append((ERROR, f"'{hook}' has no argument '{one.name}'", _suggest(one.name, known)))
        elif one.default is not one.empty:
            problems.append((WARNING, f"'{one.name}' of '{hook}' has a default, so VAS does not pass it", "remove it"))
    return problems


def _suggest(word: str, known: list[str]) -> str:
    close = get_close_matches(word, known, n=1)
    return f"did you mean '{close[0]}'?" if close else f"there are {', '.join(known)}"


def _folders_of(module: types.ModuleType) -> list[str]:
    """The folder of a plugin's package, or the file of its module."""
    file = getattr(module, "__file__", None)
    if file is None:
        return []
    return [str(Path(file).parent) if hasattr(module, "__path__") else file]


def _remedy_of(error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name and error.name.partition(".")[0] != "gateway":
        return f"install '{error.name.partition('.')[0]}' in the Python environment of VAS"
    return ""


def _normal(package: str) -> str:
    return package.lower().replace("_", "-").replace(".", "-")


def _limit_resources() -> None:
    """A plugin that writes or takes without end is refused more, before the machine suffers."""
    for kind, most in ((resource.RLIMIT_FSIZE, _MOST_FILE_BYTES), (resource.RLIMIT_DATA, _MOST_MEMORY_BYTES)):
        _, hard = resource.getrlimit(kind)
        if hard == resource.RLIM_INFINITY or hard > most:
            resource.setrlimit(kind, (most, hard))


def main() -> None:
    """Run one inspection."""
    _limit_resources()
    request = json.loads(sys.stdin.buffer.readline())
    channel = os.fdopen(int(sys.argv[1]), "wb", buffering=0)

    def send(message: dict[str, Any]) -> None:
        channel.write(json.dumps(message).encode() + b"\n")

    def end_with_parent() -> None:
        sys.stdin.buffer.read()
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()
    Inspection(request, send).run()
    send({"done": True})
    channel.close()
    # What the plugin has started must not keep this process.
    os._exit(0)


if __name__ == "__main__":
    main()
