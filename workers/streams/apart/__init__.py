"""Direct outputs and sources of strangers, in a process of each plugin below the stream worker.

What such a plugin does there, its own cameras alone may have a reason for it: it can block, crash, or keep Python's
lock. The stream worker has a stand-in for each output and source, which asks that process.
"""
