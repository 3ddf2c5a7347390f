"""Advice about a source before it is added: its costs in latency and CPU, and the settings to change."""

from typing import Any

from gateway.clock import format_time, to_ms
from gateway.media import WEBRTC_VIDEO_CODECS, SourceInfo
from workers.ingest.probe import ProbeResult
from workers.rtsp.certificate import Certificate

_LONG_KEY_FRAME_INTERVAL_SECONDS = 2.5
_LARGE_WIDTH = 2560


def describe_probe(result: ProbeResult, certificate: Certificate | None = None) -> dict[str, Any]:
    """The reply of `POST /api/v1/devices/probe`: reachable, reason, tracks, and advice."""
    source = result.source.to_dict() if result.source else {}
    reason = result.reason
    return {
        "reachable": reason is None,
        "reason": reason and {"code": reason.code, "message": reason.message, "remedy": reason.remedy},
        "elapsed_ms": result.elapsed_ms,
        "time_to_first_frame_ms": source.get("time_to_first_frame_ms"),
        "video": source.get("video"),
        "audio": source.get("audio"),
        "tracks": source.get("tracks") or [],
        "advice": advise(result.source) if result.source else [],
        "picture": result.picture,
        "server": result.server,
        "login": result.login,
        "transport": result.transport,
        "notes": list(result.notes),
        "clock_rate": result.rate,
        "tls": certificate and _describe_certificate(certificate),
    }


def _describe_certificate(certificate: Certificate) -> dict[str, str | None]:
    expires = certificate.expires
    return {
        "fingerprint": certificate.fingerprint,
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "expires": format_time(to_ms(expires)) if expires is not None else None,
    }


def advise(source: SourceInfo) -> list[dict[str, str]]:
    """Advice as `{level, code, message}`, the most important first."""
    video, audio = source.video, source.audio
    if video is None:
        return [_advice("warning", "no_video", "there is no video in this source: choose another path of the camera")]
    found = []
    if video.codec not in WEBRTC_VIDEO_CODECS:
        found.append(
            _advice(
                "warning",
                "reencoded_codec",
                f"{video.codec} is recorded as it is, but must be re-encoded for live viewing, which costs about "
                "half a core: "
                "set the camera to H.264, or give an H.264 sub-stream",
            )
        )
    elif video.has_b_frames:
        found.append(
            _advice(
                "warning",
                "b_frames",
                "B-frames must be re-encoded away for live viewing, which costs about half a core and adds delay: "
                "choose the Baseline profile or switch B-frames off in the camera, or give a sub-stream without them",
            )
        )
    interval = video.key_frame_interval_seconds
    if interval is None:
        found.append(
            _advice(
                "info",
                "long_key_frame_interval",
                "no second key frame came within a few seconds: set the camera's key-frame (I-frame) interval to one "
                "second "
                "and switch 'smart codec' off, so that live video starts faster",
            )
        )
    elif interval > _LONG_KEY_FRAME_INTERVAL_SECONDS:
        found.append(
            _advice(
                "info",
                "long_key_frame_interval",
                f"a key frame comes only each {interval:g} s, and live video starts at one: "
                "set the camera's key-frame (I-frame) interval to one second",
            )
        )
    if video.width > _LARGE_WIDTH:
        found.append(
            _advice(
                "info",
                "large_picture",
                f"{video.width}x{video.height} is much for many viewers: give a sub-stream for live viewing",
            )
        )
    if audio is None and any(track.type == "audio" for track in source.tracks):
        found.append(_advice("info", "audio_left_out", "the audio track cannot be read and is left out"))
    if not found:
        found.append(_advice("info", "fits", "this source is carried as it is, without re-encoding"))
    return found


def _advice(level: str, code: str, message: str) -> dict[str, str]:
    return {"level": level, "code": code, "message": message}
