"""The box `/jobs`: what takes longer than a request."""
