"""The box `/recordings`: settings and state of the recordings, their events, and the storage."""
