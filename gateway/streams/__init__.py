"""Streams: the supervised live pipeline of each device, its media bus, messages and statistics."""
