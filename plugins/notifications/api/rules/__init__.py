"""`/notifications/rules`."""
