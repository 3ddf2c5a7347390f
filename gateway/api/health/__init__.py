"""Health: of the whole and of each component."""
