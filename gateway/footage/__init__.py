"""Footage: recordings, their segments and gaps, and how they are read."""
