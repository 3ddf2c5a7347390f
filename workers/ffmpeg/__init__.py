"""FFmpeg as a part with a known face: commands in, parts and reasons out."""
