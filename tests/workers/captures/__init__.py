"""Snapshots of real footage on the bus and on disk; the number drawn into each frame is read back from the JPEG."""
