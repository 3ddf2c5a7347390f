"""What a stream worker does with a camera's packets: the group cache, FFmpeg's input, and the outputs."""
