"""The whole product on free ports for tests and benches, with the processes of the Procfile, kept running."""

from .api import ApiClient, ApiProblem
from .pipelines import FfmpegWatch
from .ports import free_block, free_port, give_back
from .processes import ManagedProcess, ProcessKeeper
from .services import Postgres, Redis
from .stack import Stack, StackError, find_worker_bin
from .viewer import BrowserViewer, Latency, launch_browser

__all__ = [
    "ApiClient",
    "ApiProblem",
    "BrowserViewer",
    "FfmpegWatch",
    "Latency",
    "ManagedProcess",
    "Postgres",
    "ProcessKeeper",
    "Redis",
    "Stack",
    "StackError",
    "find_worker_bin",
    "free_block",
    "free_port",
    "give_back",
    "launch_browser",
]
