"""Clips of bookmarks, made of real footage from the media bus and from recordings."""
