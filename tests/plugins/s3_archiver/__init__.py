"""Tests of plugins/s3_archiver."""
