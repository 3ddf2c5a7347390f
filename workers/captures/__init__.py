"""Snapshots and posters, decoded from the media bus or from recordings."""
