"""Reads the samples of recorded parts and writes them into plain MP4 files, without FFmpeg."""
