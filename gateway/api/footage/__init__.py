"""The box `/recordings/…` of footage: dates, timelines, coverage, protections and deletion."""
