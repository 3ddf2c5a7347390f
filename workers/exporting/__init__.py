"""Ranges of footage as movies: inspected first, then copied where possible and re-encoded where necessary."""
