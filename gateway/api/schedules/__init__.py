"""The box `/snapshots/schedules`: snapshots that are taken regularly."""
