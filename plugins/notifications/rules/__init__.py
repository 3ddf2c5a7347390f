"""Rules: which events become notifications, and with which text."""
