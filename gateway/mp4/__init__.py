"""Reading and writing MP4: boxes, fragments, init segments, samples and movies."""
