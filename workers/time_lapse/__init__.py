"""Time-lapse movies from recordings or snapshots."""
