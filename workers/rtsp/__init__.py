"""The RTSP client: one session with one camera (RFC 2326), on the asyncio loop of the worker.

`session` is the door; `workers.streams.sources` gives its target. Ours because the Python libraries that were tried
cost 95 µs and more for each packet, and none knows what cameras answer in place of what the standard says.
"""
