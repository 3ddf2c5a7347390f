"""Jobs: work with an end, its state and its result files."""
