"""The API's timelines, dates, coverage, protections and deletion of footage."""
