"""The box `/health`: health of the service and of each component."""
