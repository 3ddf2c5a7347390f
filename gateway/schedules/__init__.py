"""Weekly plans, snapshot schedules and local days, as pure calculations."""
