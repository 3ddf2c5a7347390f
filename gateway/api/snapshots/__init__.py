"""The box `/snapshots`: pictures that were kept, their schedules and time-lapses."""
