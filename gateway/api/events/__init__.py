"""`/events`: what happened to devices, jobs and the service; as pages and as a stream."""
