"""Deliveries: one row for each notification and channel, from the event to the answer of the receiver."""
