"""Cameras for tests and benches: real ones (CameraServer), misbehaving ones (FaultyCamera), many at once (LoadCameras)."""
