"""Clips of bookmarks, made from the media bus and from recordings."""
