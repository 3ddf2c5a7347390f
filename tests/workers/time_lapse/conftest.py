"""Time-lapses are tested with the footage and the settings of the exports."""

from tests.workers.exporting.conftest import config, footage, movie_of

__all__ = ["config", "footage", "movie_of"]
