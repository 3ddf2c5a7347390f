"""Clips of bookmarks, made from real footage on the media bus and in recordings."""
