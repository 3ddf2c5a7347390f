"""Single rooms against real Redis, FFmpeg and cameras, without the whole product."""
