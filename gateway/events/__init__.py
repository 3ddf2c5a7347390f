"""Events: what happened to devices, as one table with a feed for those who follow it."""
