"""The box `/plugins/{name}/options` and `/devices/{id}/plugins`: the options of plugins."""
