"""Work and storage of plugins: migrations of their tables, jobs, schedules, services, and the states of these."""
