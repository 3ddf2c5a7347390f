"""Time-lapses are tested with the footage and the settings of the exports."""

from tests.workers.exporting.conftest import config, film_of, footage

__all__ = ["config", "film_of", "footage"]
