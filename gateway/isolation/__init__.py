"""Isolation of plugins: which one a process is in, which are set aside, and calls that nothing waits for for ever."""
