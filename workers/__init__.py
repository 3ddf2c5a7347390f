"""The workers keep FFmpeg alive; the only room that starts media processes."""
