"""Tests of the archive tier."""
