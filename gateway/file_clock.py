"""The clock of a file system, which writes the times of files: on a network share that of its server."""

import tempfile
import time
from pathlib import Path

#: Smaller differences are left alone: a file system may round its times.
_SMALL_SECONDS = 2.0


def measure_file_clock(folder: Path) -> float:
    """Seconds by which the file system's clock is ahead of this machine's; 0 when small, or when it cannot be measured.

    Subtract it from the time of a file before comparing that with this machine's clock. It creates and removes a file.
    """
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".clock-") as file:
            # As for every file of ours: the server sets the time when data is written.
            file.write(b"0")
            file.flush()
            before = time.time()
            offset = Path(file.name).stat().st_mtime - before
    except OSError:
        return 0.0
    return offset if abs(offset) >= _SMALL_SECONDS else 0.0
