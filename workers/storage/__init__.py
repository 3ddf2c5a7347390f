"""Housekeeping of the footage disk: retention, reconciliation and the emergency disk reserve."""
