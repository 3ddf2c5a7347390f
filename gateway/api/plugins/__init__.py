"""The box `/plugins`: the installed plugins."""
