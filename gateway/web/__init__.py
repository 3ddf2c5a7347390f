"""The front of the web process: an event loop that reads, waits and sends, and a few threads that compute.

No client holds a thread: requests are read completely before one is taken, views that wait give theirs back
(`gateway.api.deferred`), and replies are sent by the loop.
"""
