"""`/notifications/deliveries`."""
