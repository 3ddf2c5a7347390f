"""Options of plugins: schemas, stored values of the installation, of tags and of devices, and what follows for each."""
