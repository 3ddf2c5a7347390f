"""Sources of video: what plugins provide for schemes of their own, and what all sessions with cameras share."""
