"""Time-lapses are tested with the footage and the settings of the exports."""

from tests.workers.exporting.conftest import config, footage

__all__ = ["config", "footage"]
