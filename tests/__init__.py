"""The suites, laid out as the rooms they test."""
