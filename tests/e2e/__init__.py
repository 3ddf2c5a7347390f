"""A real browser watches real cameras through the whole product."""
