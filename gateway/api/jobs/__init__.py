"""The box `/jobs`: work that takes longer than a request."""
