"""Parts of the running product are killed, stalled and cut; it recovers while somebody watches."""
