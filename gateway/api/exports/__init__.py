"""The API's exports of footage as MP4."""
