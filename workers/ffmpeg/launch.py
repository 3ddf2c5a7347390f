"""How processes that read bytes of cameras are started: confined, with the variables of an allow-list, without core
dumps, and ended with their worker."""

import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from gateway import sandbox
from gateway.config import Config

#: Variables that FFmpeg, its libraries and hardware drivers read. Never everything: the environment of a worker
#: contains SECRET_KEY, SFU_SECRET and the addresses of the database and of Redis.
_VARIABLES = (
    "PATH",
    "LANG",
    "LC_*",
    "TZ",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "MALLOC_*",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "FONTCONFIG_*",
    "LIBVA_*",
    "VDPAU_*",
    "CUDA_*",
    "NVIDIA_*",
    "MESA_*",
    "DRI_PRIME",
    "VK_*",
    "ONEVPL_*",
)
#: glibc otherwise keeps the memory that FFmpeg frees after analysing the source (mallopt(3)), a large part of its own
#: memory. Other C libraries ignore the variable, and a value in the environment takes precedence.
_MEMORY = {"MALLOC_TRIM_THRESHOLD_": str(128 << 10)}


@dataclass(frozen=True, slots=True)
class Launcher:
    """Builds command and environment of a process.

    `mode` is the setting FFMPEG_SANDBOX, `folders` are what FFmpeg may read and write beside its own pipes, and
    `variables` names or patterns of further variables that it gets.
    """

    mode: str = "auto"
    folders: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()

    @classmethod
    def from_config(cls, config: Config) -> "Launcher":
        return cls(config.ffmpeg_sandbox, config.ffmpeg_folders, config.ffmpeg_variables)

    def command(self, command: list[str], *, folders: Iterable[str | Path] = (), niceness: int = 0) -> list[str]:
        """The command that confines itself and becomes `command`. Raises FileNotFoundError if it is not installed."""
        program = shutil.which(command[0])
        if program is None:
            raise FileNotFoundError(2, "program not found", command[0])
        paths = [f"+{path}" for path in _program_paths(program)]
        paths += [os.path.abspath(path) for path in (*self.folders, *folders)]
        start = [sys.executable, "-I", "-S", sandbox.__file__, str(os.getpid()), str(niceness), self.mode]
        return [*start, *paths, "--", program, *command[1:]]

    def environment(
        self, environ: Mapping[str, str] | None = None, *, further: Iterable[str] = (), **added: str
    ) -> dict[str, str]:
        """The allowed variables of `environ` (default: of this process), and those that are added."""
        environ = os.environ if environ is None else environ
        allowed = (*_VARIABLES, *self.variables, *further)
        kept = {name: value for name, value in environ.items() if any(fnmatchcase(name, one) for one in allowed)}
        return {**_MEMORY, **kept, "AV_LOG_FORCE_NOCOLOR": "1", **added}


def _program_paths(program: str) -> list[str]:
    """The program, and the libraries of one that is installed in a folder of its own (PREFIX/bin, PREFIX/lib)."""
    real = Path(program).resolve()
    libraries = os.environ.get("LD_LIBRARY_PATH", "").split(":")
    return [str(real), str(Path(program).absolute()), str(real.parent.parent / "lib"), *filter(None, libraries)]
