"""Ranges of footage become films: looked at first, then copied where they can be and encoded anew where they must
be."""
