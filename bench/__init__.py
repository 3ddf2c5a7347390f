"""Benchmarks of VAS: cost, latency and recovery, compared with a peer on the same cameras."""
