"""The API's HLS playlists and media, recorded and live."""
