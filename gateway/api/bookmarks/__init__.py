"""The box `/bookmarks`: moments with a title, and a clip of their own."""
