"""The whole product on free ports for tests and benches, with the processes of the Procfile, kept running."""

from gateway.testing import procfs
from gateway.testing.api import ApiClient, ApiProblem
from gateway.testing.ports import free_block, free_port, give_back
from gateway.testing.processes import ManagedProcess, ProcessKeeper

from .pipelines import FfmpegWatch
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
    "procfs",
]
