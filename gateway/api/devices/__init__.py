"""Devices: `/devices`, their history and the probe of a source."""
