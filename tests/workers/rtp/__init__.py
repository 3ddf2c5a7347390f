"""Tests of workers/rtp."""
