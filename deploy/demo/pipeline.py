"""Builds the description of a camera's GStreamer pipeline for GstRtspServer."""

from __future__ import annotations

from cameras import Camera

RAW_FORMAT = "BGRx"  # memory layout of cairo's RGB24 on little-endian machines
_PROFILE_TOOLS = {"baseline": "cabac=0:8x8dct=0", "main": "cabac=1:8x8dct=0", "high": "cabac=1:8x8dct=1"}


def build_launch(camera: Camera) -> str:
    """Build the description: `appsrc name=picture` takes drawn pictures, `pay0` is video and `pay1` audio."""
    parts = [
        # At most two frames, the newest, wait for a slow encoder: a late picture would show a wrong clock.
        "appsrc name=picture is-live=true format=time do-timestamp=true max-buffers=2 leaky-type=downstream",
        f"caps={build_picture_caps(camera)}",
        "! videoconvert n-threads=1 dither=none chroma-resampler=nearest",
        f"! {_build_encoder(camera)}",
    ]
    if camera.audio:
        parts.append(
            "audiotestsrc name=sound is-live=true wave=pink-noise volume=0.02 samplesperbuffer=960"
            f" ! audioconvert ! audioresample ! {_build_audio_encoder(camera.audio)}"
        )
    return f"( {' '.join(parts)} )"


def build_picture_caps(camera: Camera) -> str:
    """Build the caps of the drawn pictures."""
    return (
        f"video/x-raw,format={RAW_FORMAT},width={camera.width},height={camera.height},"
        f"framerate={camera.fps}/1,pixel-aspect-ratio=1/1"
    )


def _build_encoder(camera: Camera) -> str:
    in_band = camera.parameter_sets == "in_band"
    repeat = -1 if in_band else 0
    if camera.codec == "mjpeg":
        return "video/x-raw,format=I420 ! jpegenc quality=80 ! rtpjpegpay name=pay0 pt=26"
    if camera.codec == "h265":
        stream_format = "byte-stream" if in_band else "hvc1"
        return (
            "video/x-raw,format=I420 ! x265enc speed-preset=ultrafast tune=zerolatency"
            f" bitrate={camera.bitrate_kbps} key-int-max={camera.key_frame_interval}"
            f" option-string=qpmin={camera.qmin}:scenecut=0:open-gop=0:pools=none:frame-threads=1:wpp=0:info=0"
            f" ! h265parse ! video/x-h265,stream-format={stream_format},alignment=au"
            f" ! rtph265pay name=pay0 pt=96 config-interval={repeat}"
        )
    tune = "" if camera.b_frames else "tune=zerolatency"
    look_ahead = "rc-lookahead=0 sync-lookahead=0" if camera.b_frames else ""
    stream_format = "byte-stream" if in_band else "avc"
    # One thread: several threads split a picture into slices, each of which the payloader would precede with
    # parameter sets.
    return (
        f"video/x-raw,format=I420 ! x264enc speed-preset=ultrafast trellis=false {tune} {look_ahead} threads=1"
        f" bitrate={camera.bitrate_kbps} key-int-max={camera.key_frame_interval} qp-min={camera.qmin}"
        f" option-string=scenecut=0:bframes={camera.b_frames}:b-adapt=0:{_PROFILE_TOOLS[camera.profile]}"
        # Without a profile here the payloader requests constrained baseline.
        f" ! video/x-h264,profile={camera.profile},stream-format={stream_format},alignment=au"
        f" ! rtph264pay name=pay0 pt=96 config-interval={repeat} aggregate-mode=zero-latency"
    )


def _build_audio_encoder(codec: str) -> str:
    if codec == "aac":
        return "audio/x-raw,rate=48000,channels=1 ! avenc_aac bitrate=48000 ! rtpmp4gpay name=pay1 pt=97"
    if codec == "opus":
        return "audio/x-raw,rate=48000,channels=2 ! opusenc bitrate=32000 ! rtpopuspay name=pay1 pt=98"
    return "audio/x-raw,rate=8000,channels=1 ! alawenc ! rtppcmapay name=pay1 pt=8"
