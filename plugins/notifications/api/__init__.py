"""The resources of the plugin below `/notifications`."""
