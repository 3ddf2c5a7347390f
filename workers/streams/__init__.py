"""Stream supervision: keeping one FFmpeg pipeline per device alive."""
