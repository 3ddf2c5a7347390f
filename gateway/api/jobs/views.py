"""Jobs as the API shows them."""

import json
from datetime import UTC, datetime
from typing import Any

from flask import url_for

from gateway import database
from gateway.api.base import API_PREFIX, current_scope, services
from gateway.devices.model import Device
from gateway.jobs.model import DONE, FAILED, Job, format_job_error
from gateway.plugin_work.registrations import read_registered

#: What a plugin's job returns for a file in the folder of results (gateway/jobs/files.py).
_FILE_FIELDS = {"file": str, "name": str, "size": int, "content_type": str}


def job_views(jobs: list[Job]) -> list[dict[str, Any]]:
    """Jobs with the names of their devices."""
    ids = {job.device_id for job in jobs if job.device_id}
    names: dict[str, str] = {}
    if ids:
        with database.session():
            rows = current_scope().select(Device, Device.id, Device.name).where(Device.id.in_(list(ids)))
            names = {row.id: row.name for row in rows}
    return [_view(job, names.get(job.device_id)) for job in jobs]


def job_view(job: Job) -> dict[str, Any]:
    """One job."""
    return job_views([job])[0]


def _view(job: Job, device_name: str | None) -> dict[str, Any]:
    return {
        "id": job.id,
        "kind": job.kind,
        "title": _title(job.kind),
        "device_id": job.device_id,
        "device_name": device_name,
        "state": job.state,
        "progress": round(job.progress, 3),
        "stage": job.stage or None,
        "result": _result(job) if job.state == DONE else None,
        "error": format_job_error(job.error_code or "job_failed", job.error_message) if job.state == FAILED else None,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
        "expires_at": job.expires_at,
    }


def _title(kind: str) -> str | None:
    plugin = read_registered(services().plugins).get(kind.partition(".")[0]) if "." in kind else None
    job = plugin.jobs.get(kind) if plugin is not None else None
    return job.title if job is not None else None


def result_url(job: Job) -> str:
    """The URL of the result of a finished job; snapshots and clips are not files of the job."""
    facts = json.loads(job.result or "{}")
    if facts.get("snapshot_id"):
        return f"{API_PREFIX}/snapshots/{facts['snapshot_id']}/image"
    if facts.get("bookmark_id"):
        return f"{API_PREFIX}/bookmarks/{facts['bookmark_id']}/clip.mp4"
    return url_for("jobs.JobResult", job_id=job.id)


def _result(job: Job) -> dict[str, Any]:
    facts = json.loads(job.result or "{}")
    data = None
    if "." in job.kind:
        # Nothing of it is ours but the file, if it has the fields of one.
        data = facts
        facts = {name: facts[name] for name, kind in _FILE_FIELDS.items() if isinstance(facts.get(name), kind)}
    return {
        "url": None if data is not None and "file" not in facts else result_url(job),
        "data": data,
        "snapshot_id": facts.get("snapshot_id"),
        "bookmark_id": facts.get("bookmark_id"),
        "name": facts.get("name"),
        "size": facts.get("size"),
        "content_type": facts.get("content_type"),
        "start": _moment(facts.get("start_ms")),
        "end": _moment(facts.get("end_ms")),
        "duration_seconds": facts.get("duration_seconds"),
        "notes": facts.get("notes") or [],
    }


def _moment(at_ms: int | None) -> datetime | None:
    return None if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC)
