"""The box `/bookmarks`: moments with a title, each with its own clip."""
