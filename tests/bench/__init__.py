"""The code of the benchmarks that does not need the product running."""
