"""`/plugins/{name}`: one plugin with its jobs, schedules and services."""

from datetime import UTC, datetime
from typing import Any

from flask.views import MethodView

from gateway.api.base import services
from gateway.api.plugins.routes import blp
from gateway.api.plugins.views import panel_views
from gateway.api.plugins.work_schemas import PluginWithWorkSchema
from gateway.errors import NotFound
from gateway.panels import panels_of
from gateway.plugin_loading import measure_folder
from gateway.plugin_states import read_plugin_states
from gateway.plugin_tasks import PluginSchedule
from gateway.plugin_work.migrating import tables_of
from gateway.plugin_work.overview import PluginWork, read_work
from gateway.plugin_work.registrations import Registered
from gateway.plugin_work.schedules import PluginScheduleRow
from gateway.plugin_work.services import ServiceState

__all__ = ["blp"]


@blp.route("/<string:name>")
class PluginByName(MethodView):
    @blp.response(200, PluginWithWorkSchema)
    @blp.errors(404, 503)
    def get(self, name: str) -> Any:
        """Read a plugin

        With its kinds of jobs, its schedules and services, their states, and what is wrong with them.
        """
        wired = services()
        described = next((one for one in read_plugin_states(wired.plugins, wired.redis) if one.name == name), None)
        if described is None:
            raise NotFound(f"there is no plugin '{name}'")
        work = read_work(wired.plugins, wired.redis).get(name) or PluginWork(Registered(name))
        shown = {name: getattr(described, name) for name in type(described).__slots__}
        return shown | {
            "jobs": [{"kind": job.kind, "title": job.title} for job in work.registered.jobs.values()],
            "schedules": [_view_schedule(one, work.schedules.get(name)) for name, one in _schedules(work)],
            "services": [_view_service(name, (work.states or {}).get(name)) for name in work.registered.services],
            "tables": tables_of(name),
            "folder_bytes": measure_folder(wired.config, name),
            "work_problems": work.problems,
            "panels": panel_views(panels_of(wired.plugins), name),
        }


def _schedules(work: PluginWork) -> list[tuple[str, PluginSchedule]]:
    return list(work.registered.schedules.items())


def _view_schedule(schedule: PluginSchedule, row: PluginScheduleRow | None) -> dict[str, Any]:
    return {
        "name": schedule.name,
        "every_seconds": schedule.every_seconds,
        "deadline_seconds": schedule.deadline_seconds,
        "is_running": row is not None and row.run is not None,
        "started_at": row and row.started_at,
        "ended_at": row and row.ended_at,
        "next_at": row and row.next_at,
        "error": row and row.error,
        "failures": row.failures if row is not None else 0,
    }


def _view_service(name: str, state: ServiceState | None) -> dict[str, Any]:
    if state is None:
        fields = ("state", "since", "worker", "error", "cpu_percent", "memory_bytes")
        return {"name": name, "restarts": 0, "deaths": 0, **dict.fromkeys(fields)}
    return {
        "name": name,
        "state": state.state,
        "since": datetime.fromtimestamp(state.since_ms / 1000, UTC),
        "worker": state.worker,
        "restarts": state.restarts,
        "deaths": state.deaths,
        "error": state.error,
        "cpu_percent": state.cpu_percent,
        "memory_bytes": state.memory_bytes,
    }
