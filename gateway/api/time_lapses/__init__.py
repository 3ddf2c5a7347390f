"""The box of time-lapses: short movies of a long time."""
