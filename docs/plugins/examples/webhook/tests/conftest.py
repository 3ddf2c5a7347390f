"""The fixtures of VAS for tests of plugins."""

pytest_plugins = ["gateway.testing"]
