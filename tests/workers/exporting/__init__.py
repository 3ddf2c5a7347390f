"""Jobs and exports: real footage in, files out that are looked at frame by frame."""
