"""Keeps FFmpeg alive: the only room that starts media processes."""
