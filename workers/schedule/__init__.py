"""The clock process: reconciliation of streams, snapshot schedules and cleanup."""
