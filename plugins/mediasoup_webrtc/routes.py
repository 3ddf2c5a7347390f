"""`POST /streams/{id}/viewers`: a token for one viewer to connect to one device at the SFU."""

from typing import Any
from urllib.parse import urlsplit

import marshmallow as ma
from flask import request

from gateway.plugin_api import Config
from gateway.plugin_api.web import Blueprint, ReplySchema, Time, current_scope, request_stream
from plugins.mediasoup_webrtc.tokens import mint_viewer_token


class ViewerSchema(ReplySchema):
    """The token and addresses for a viewer."""

    token = ma.fields.String(required=True, metadata={"description": "bearer token for this device only"})
    expires_at = Time(required=True, metadata={"description": "deadline for connecting; existing connections stay"})
    device_id = ma.fields.UUID(required=True)
    signaling_url = ma.fields.String(required=True, metadata={"description": "WebSocket for mediasoup-client"})
    whep_url = ma.fields.String(required=True, metadata={"description": "WHEP endpoint for any standard player"})
    ice_servers = ma.fields.List(ma.fields.Dict(), required=True)


def build_blueprint(config: Config) -> Blueprint:
    """Build the resource with its settings."""
    blp = Blueprint("viewers", __name__, description="Connecting viewers to live streams")

    @blp.route("/streams/<uuid:device_id>/viewers", methods=["POST"])
    @blp.response(201, ViewerSchema)
    @blp.errors(403, 404, 409, 503)
    def add_viewer(device_id: Any) -> dict[str, Any]:
        """Let a viewer connect

        Returns a short-lived token for one device and the addresses of the SFU. Starts an on_demand device. 409 with
        reason `stream_stopped` or `device_disabled` if the device cannot be watched now.
        """
        stream = request_stream(current_scope(), str(device_id))
        minted = mint_viewer_token(
            config.sfu_secret,
            device_id=stream.device_id,
            tenant_id=stream.tenant_id,
            lifetime_seconds=config.viewer_token_seconds,
        )
        base = public_sfu_url(config, request.host_url)
        return {
            "token": minted.token,
            "expires_at": minted.expires_at,
            "device_id": stream.device_id,
            "signaling_url": "ws" + base.removeprefix("http") + "/signaling",
            "whep_url": f"{base}/whep/{stream.device_id}",
            "ice_servers": [],
        }

    return blp


def public_sfu_url(config: Config, page_url: str) -> str:
    """The address of the SFU for the caller: SFU_PUBLIC_URL, or the host of the page with SFU_PORT."""
    if config.sfu_public_url:
        return config.sfu_public_url
    page = urlsplit(page_url)
    host = f"[{page.hostname}]" if ":" in (page.hostname or "") else page.hostname
    return f"{page.scheme}://{host}:{config.sfu_port}"
