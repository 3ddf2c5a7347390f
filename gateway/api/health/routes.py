"""`/health`: the health of all components for people, liveness and readiness for orchestrators."""

from typing import Any

from flask.views import MethodView

from gateway.api.base import Blueprint, services
from gateway.api.errors import ApiError
from gateway.api.health.schemas import HealthSchema, ProbeStatusSchema
from gateway.health import check_readiness, checks_of_services, run_checks

blp = Blueprint("health", __name__, url_prefix="/health", description="State of each component")


@blp.route("")
class Health(MethodView):
    @blp.response(200, HealthSchema)
    def get(self) -> Any:
        """Read the health of every component

        Always 200: the status is in the body. Orchestrators use `/health/live` and `/health/ready`.
        """
        wired = services()
        return run_checks(checks_of_services(wired.config, wired.redis, wired.bus, wired.slots, wired.plugins))


@blp.route("/live")
class HealthLive(MethodView):
    @blp.response(200, ProbeStatusSchema)
    def get(self) -> Any:
        """Check that the web process is alive

        Uses no other component.
        """
        return {"status": "ok"}


@blp.route("/ready")
class HealthReady(MethodView):
    @blp.response(200, ProbeStatusSchema)
    @blp.errors(503)
    def get(self) -> Any:
        """Check that requests can be answered

        503 while the database is unavailable or its schema is not up to date (reason `not_ready`), without any plugin
        (`no_plugins`), and with a SECRET_KEY that decrypts the URL of no device (`wrong_secret_key`). Without Redis,
        most requests can still be answered.
        """
        wired = services()
        code, health = check_readiness(wired.config, wired.plugins)
        if health.status != "ok":
            raise ApiError(503, health.reason or "the database is not ready", reason=code)
        return {"status": "ok"}
