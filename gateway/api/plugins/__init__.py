"""Plugins: what is installed."""
