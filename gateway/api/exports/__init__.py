"""The box of exports: ranges of footage as MP4 files."""
