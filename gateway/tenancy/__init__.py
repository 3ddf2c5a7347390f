"""Tenants, and the scopes through which every query goes."""
