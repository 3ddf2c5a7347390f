"""Where in a plugin's sources something is or has failed."""

import inspect
import os
import traceback
from typing import Any

#: File and line.
Place = tuple[str, int]


def place_of(error: BaseException, folders: list[str]) -> Place | None:
    """The last step of an exception in one of these folders or files; what is installed in them counts less."""
    if isinstance(error, SyntaxError) and error.filename:
        return error.filename, error.lineno or 1
    roots = tuple(one if one.endswith(".py") else one.rstrip(os.sep) + os.sep for one in folders)
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if frame.filename.startswith(roots)]
    own = [frame for frame in inside if "site-packages" not in frame.filename] or inside
    return (own[-1].filename, own[-1].lineno or 1) if own else None


def place_of_code(function: Any) -> Place | None:
    """The first line of a function."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return (code.co_filename, code.co_firstlineno) if code is not None else None


def describe(error: BaseException) -> str:
    """An exception in a line."""
    text = " ".join(str(error).split())[:300]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
