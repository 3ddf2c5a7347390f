"""Parts of the running product are killed, stalled and cut; it heals while somebody watches."""
