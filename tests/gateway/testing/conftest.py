"""The fixtures for tests of plugins."""

from gateway.testing.fixtures import migrated_database, plugin_trial

__all__ = ["migrated_database", "plugin_trial"]
