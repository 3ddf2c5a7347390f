"""The REST API: one package per resource, all of the same form, each with its routes and schemas."""
