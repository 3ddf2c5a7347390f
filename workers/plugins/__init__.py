"""The plugins worker: a process for each service of a plugin, and one for the jobs and schedules of all."""
