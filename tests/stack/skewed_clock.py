"""The wall clock of a stack's processes, which can be set while they run; monotonic time is not affected."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_suffix(".c")


class NoCompilerError(RuntimeError):
    """The clock's few lines of C cannot be compiled here; the message gives the reason."""


class SkewedClock:
    """`settings` are for a Stack; `set(seconds)` offsets the clocks of all its processes from the machine's.

    Redis, PostgreSQL and the test itself keep the machine's clock. Raises NoCompilerError.
    """

    def __init__(self, folder: Path) -> None:
        library, self._file = folder / "skewed_clock.so", folder / "skew"
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            raise NoCompilerError("there is no C compiler: apt-get install gcc")
        command = [compiler, "-O1", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        if done.returncode:
            raise NoCompilerError(f"{' '.join(command)}: {done.stderr.strip()}")
        self.settings = {"LD_PRELOAD": library, "SKEWED_CLOCK": self._file}
        self.set(0)

    def set(self, seconds: float) -> None:
        """The processes see the new time at once."""
        # Written in place: the processes have the file mapped.
        with self._file.open("r+b" if self._file.exists() else "w+b") as file:
            file.write(struct.pack("q", int(seconds * 1_000_000_000)))
