"""Snapshots: real footage on the bus and on disk in, JPEGs out whose drawn number is read back."""
