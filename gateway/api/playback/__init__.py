"""The box of playback: HLS playlists and media, recorded and live."""
