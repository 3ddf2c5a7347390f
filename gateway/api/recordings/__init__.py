"""Recordings: `/recordings`, their settings, what was recorded and where it is missing, playback, deletion, the
store."""
