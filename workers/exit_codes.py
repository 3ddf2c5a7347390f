"""How a process ended, in words."""

import signal


def describe_code(code: int) -> str:
    """How a process ended: its exit code, or, negative, the signal."""
    if code >= 0:
        return f"its process ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"its process was ended by {name}"
