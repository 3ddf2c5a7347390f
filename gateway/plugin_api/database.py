"""The database, for plugins with tables of their own: every query runs inside `session` or `transaction`."""

from gateway.database import after_commit, is_postgresql, now, session, transaction

__all__ = ["after_commit", "is_postgresql", "now", "session", "transaction"]
