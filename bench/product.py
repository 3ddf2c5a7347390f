"""VAS for a benchmark: a Stack whose errors on stop do not discard the results."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gateway.private_redis import MEDIA_MEMORY
from tests.stack import Stack, StackError


@contextmanager
def open_product(**settings: Any) -> Iterator[Stack]:
    """Start a Stack. Leftovers after its stop are only printed, because the tests check for them."""
    # Its Redis has the media bus, as that of `make run`.
    for name, value in MEDIA_MEMORY.items():
        os.environ.setdefault(name, value)
    stack = Stack(**settings)
    try:
        stack.start()
        yield stack
    finally:
        try:
            stack.close()
        except StackError as error:
            print(f"  {str(error).splitlines()[0]}", file=sys.stderr)
