"""Jobs and exports: real footage in, files out that are inspected frame by frame."""
