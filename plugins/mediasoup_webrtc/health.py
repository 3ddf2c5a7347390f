"""The health check of the SFU for `/api/v1/health` and `vas doctor`."""

import json
import urllib.error
import urllib.request
from typing import Any

from gateway.plugin_api import ComponentHealth, Config, HealthCheck
from plugins.mediasoup_webrtc.tokens import control_key

_REMEDY = (
    "start the sfu process and check its log; MEDIASOUP_WS_URL and SFU_SECRET must be the same for VAS and the SFU"
)


def build_health_check(config: Config) -> HealthCheck:
    """Build the check of the SFU at MEDIASOUP_WS_URL."""
    return HealthCheck("sfu", lambda: check_sfu(config))


def check_sfu(config: Config) -> ComponentHealth:
    """Request the state of the SFU, with the version of mediasoup and the origin of its worker program."""
    request = urllib.request.Request(  # noqa: S310 - the scheme is checked by Config
        f"{config.sfu_http_url}/control/status",
        headers={"Authorization": f"Bearer {control_key(config.sfu_secret)}"},
    )
    # The parts of one installation connect directly, without a proxy from the environment.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=1.5) as answer:
            status: dict[str, Any] = json.load(answer)
        if not isinstance(status, dict):
            raise ValueError("no object")
    except urllib.error.HTTPError as error:
        reason = "refuses this SFU_SECRET" if error.code in {401, 403} else f"answers {error.code}"
        return ComponentHealth("down", f"the SFU {reason}", _REMEDY)
    except (OSError, ValueError):
        return ComponentHealth("down", "the SFU does not answer", _REMEDY)
    workers = status.get("workers") or []
    detail = {
        "version": status.get("version"),
        "mediasoup": status.get("mediasoup"),
        "workers": workers,
        **{
            name: status.get(name)
            for name in ("rooms", "viewers", "transports", "producers", "consumers", "ports_in_use")
        },
    }
    if status.get("status") != "ok" or not workers:
        return ComponentHealth("degraded", "the SFU runs without all of its Workers", _REMEDY, detail)
    return ComponentHealth("ok", detail=detail)
