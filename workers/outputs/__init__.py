"""Consumer outputs: feeding plugins with parts from the media bus."""
