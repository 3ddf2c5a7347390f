"""The box `/metrics`: figures for monitoring systems."""
