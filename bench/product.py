"""The product for a bench: a Stack whose end cannot take the figures away."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.stack import Stack, StackError


@contextmanager
def open_product(**settings: Any) -> Iterator[Stack]:
    """A Stack that runs. What it leaves behind when it stops is said; the tests are where that is a failure."""
    stack = Stack(**settings)
    try:
        stack.start()
        yield stack
    finally:
        try:
            stack.close()
        except StackError as error:
            print(f"  {str(error).splitlines()[0]}", file=sys.stderr)
