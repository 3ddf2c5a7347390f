"""The archive tier: which footage has copies in archives, and reading, deleting and finding them again."""
