"""`/notifications/channels`."""
