"""The API's snapshot schedules."""
