"""The boxes `/streams` and `/rtsp/streams`: starting, stopping and reading the live pipelines of devices."""
