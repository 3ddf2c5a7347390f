"""The box `/devices`: configured cameras, their history and posters, and the probe of a source."""
