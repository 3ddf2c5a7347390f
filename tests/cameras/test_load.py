"""The load cameras are 1080p25 at their bitrate and GOP, each with its own phase, and end with their owner."""

import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from .load import LoadCameras
from .viewing import CameraUnreadableError, probe_streams, read_packets

pytestmark = pytest.mark.integration


def test_load_cameras_have_the_properties_that_benches_expect():
    with LoadCameras(count=3, gop_seconds=2) as cameras, ThreadPoolExecutor() as pool:
        assert len(cameras.urls) == 3
        probe = pool.submit(probe_streams, cameras.urls[0])
        streams = list(pool.map(lambda url: read_packets(url, 101), cameras.urls))
        video = probe.result()["video"]
        assert (video["codec_name"], video["width"], video["height"], video["has_b_frames"]) == (
            "h264",
            1920,
            1080,
            0,
        )
        assert video["r_frame_rate"] == "25/1"
        for packets in streams:
            assert [number for number, (is_key, _) in enumerate(packets) if is_key] == [0, 50, 100]
            kbps = sum(size for _, size in packets[:100]) * 8 / 1000 / 4
            assert 3200 < kbps < 4800
        with pytest.raises(CameraUnreadableError, match="404"):
            probe_streams(cameras.urls[0].replace("/camera/1", "/camera/4"))
        pid = cameras.pid
    assert subprocess.run(["kill", "-0", str(pid)], capture_output=True, check=False).returncode != 0
