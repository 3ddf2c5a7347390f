"""Devices: the configured cameras, where their video comes from, and their history."""
