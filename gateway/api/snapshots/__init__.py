"""The box `/snapshots`: stored pictures, and taking new ones."""
