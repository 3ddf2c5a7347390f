"""Channels: where notifications go."""
