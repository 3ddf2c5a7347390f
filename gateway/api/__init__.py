"""The REST API: a shelf of boxes of one shape, each with its routes and schemas."""
