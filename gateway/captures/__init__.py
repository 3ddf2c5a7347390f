"""Captures: snapshots, posters, schedules, bookmarks, clips and time-lapses."""
