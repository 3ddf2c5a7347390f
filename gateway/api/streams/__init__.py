"""Streams: the live pipelines of devices, to start, stop and look at."""
