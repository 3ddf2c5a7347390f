"""The interface to FFmpeg: builds its commands, and turns its output into parts and reasons."""
