"""Every frame of a camera is recorded exactly once, although the recorder is killed again and again."""
