"""Senders: each gives one notification to the receiver of a kind of channel."""
