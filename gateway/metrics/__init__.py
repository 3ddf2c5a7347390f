"""Figures of the product and of plugins for monitoring, in the text format of Prometheus."""
