"""HLS playlists of footage and of the live stream."""
