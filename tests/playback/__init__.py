"""Recorded footage, made fast: numbered pictures, encoded by real FFmpeg, in files and rows like those of a recorder.

clip = make_clip(seconds=6, audio=True, audio_from=2)
footage = FootageFactory(config, scope, device_id)
first = footage.record(clip, start_ms=NOON_MS)
footage.record(clip, start_ms=NOON_MS + 20_000)      # another run, after a gap of 14 seconds
"""

from .clips import Clip, make_clip
from .footage import FootageFactory, RecordedFile, start_of_one_file

#: A time in the past at the start of an hour: 2026-03-11 12:00 UTC.
NOON_MS = 1_773_230_400_000

__all__ = ["NOON_MS", "Clip", "FootageFactory", "RecordedFile", "make_clip", "start_of_one_file"]
