"""`/jobs`: work that takes longer than a request; listing, cancelling and deleting jobs, fetching their results."""

import json
from typing import Any

from flask import Response, request, send_file
from flask.views import MethodView

from gateway.api.base import BINARY, Blueprint, current_scope, no_content, offset_of, paginated, services
from gateway.api.errors import ApiError
from gateway.api.file_names import name_file
from gateway.api.file_replies import sent_by_proxy
from gateway.api.jobs.requests import try_again
from gateway.api.jobs.schemas import JobQueryArgsSchema, JobSchema
from gateway.api.jobs.views import job_view, job_views, result_url
from gateway.errors import Conflict
from gateway.jobs.cleanup import delete_job
from gateway.jobs.files import result_path
from gateway.jobs.model import DONE, Job, find_job, list_jobs, request_cancel

blp = Blueprint(
    "jobs",
    __name__,
    url_prefix="/jobs",
    description="Work that takes longer than a request: exports, snapshots, clips, time-lapses, and jobs of plugins",
)

_RESULT_HEADERS = {
    "ETag": {"description": "version of the file, for resuming a download with If-Range", "schema": {"type": "string"}},
    "Content-Disposition": {"description": "file name for browsers", "schema": {"type": "string"}},
}


@blp.route("")
class Jobs(MethodView):
    @blp.arguments(JobQueryArgsSchema, location="query")
    @blp.list_response(JobSchema)
    @blp.errors(422, 503)
    def get(self, args: dict[str, Any]) -> Any:
        """List jobs

        Newest first. Finished jobs are removed after EXPORT_KEEP_HOURS.
        """
        jobs, total = list_jobs(
            current_scope(),
            states=(args["state"],) if args["state"] else (),
            kind=args["kind"],
            device_id=args["device_id"],
            limit=args["page_size"],
            offset=offset_of(args),
        )
        return paginated(job_views(jobs), total, args)


@blp.route("/<uuid:job_id>")
class JobById(MethodView):
    @blp.response(200, JobSchema)
    @blp.errors(404, 503)
    def get(self, job_id: Any) -> Any:
        """Read a job"""
        return job_view(find_job(current_scope(), str(job_id)))

    @blp.response(204)
    @blp.errors(403, 404, 503)
    def delete(self, job_id: Any) -> Response:
        """Delete a job

        Cancels a job that has not finished, and removes its result.
        """
        delete_job(current_scope(), services().config, str(job_id))
        return no_content()


@blp.route("/<uuid:job_id>/cancel")
class JobCancel(MethodView):
    @blp.doc(operationId="cancel_job")
    @blp.response(202, JobSchema)
    @blp.errors(403, 404, 409, 503)
    def post(self, job_id: Any) -> Any:
        """Cancel a job

        A waiting job ends at once, a running one within one or two seconds. May be repeated. 409 with reason
        `job_finished` if the job has ended in another way.
        """
        keep_hours = services().config.export_keep_hours
        return job_view(request_cancel(current_scope(), str(job_id), keep_hours=keep_hours))


@blp.route("/<uuid:job_id>/retry")
class JobRetry(MethodView):
    @blp.doc(operationId="retry_job")
    @blp.response(202, JobSchema)
    @blp.errors(403, 404, 409, 503)
    def post(self, job_id: Any) -> Any:
        """Try a job again

        Queues a job that has failed or was cancelled again, with the same parameters. 409 with reason `job_unfinished`
        or `job_finished` for one in another state, `exports_full` if its file has no room, and `not_retried` for jobs
        of snapshots and clips, which are requested again instead.
        """
        return job_view(try_again(find_job(current_scope(), str(job_id))))


@blp.route("/<uuid:job_id>/result")
class JobResult(MethodView):
    @blp.response(200, BINARY, content_type="video/mp4", headers=_RESULT_HEADERS)
    @blp.alt_response(206, schema=BINARY, content_type="video/mp4", headers=_RESULT_HEADERS)
    @blp.alt_response(304, description="not modified: If-None-Match names this version")
    @blp.errors(404, 409, 416, 503)
    def get(self, job_id: Any) -> Response:
        """Read the result of a job

        The file as an attachment. `Range` and `If-Range` resume a download. 409 with reason `job_unfinished` while the
        job is not done; 404 with reason `result_gone` if there is no file (any more), or `result_elsewhere` if the job
        made a snapshot or a clip, whose URL is `result.url` of the job.
        """
        return _send_result(find_job(current_scope(), str(job_id)))


def _send_result(job: Job) -> Response:
    if job.state != DONE:
        raise Conflict(f"the job has no result: it is {job.state}", reason="job_unfinished")
    facts = json.loads(job.result or "{}")
    if facts.get("snapshot_id") or facts.get("bookmark_id"):
        raise ApiError(
            404, f"this job has no file of its own: its result is at {result_url(job)}", reason="result_elsewhere"
        )
    try:
        # Absolute, because Flask resolves relative paths below its own package.
        path = result_path(services().config, facts["file"]).absolute()
        size = path.stat().st_size
        name, content_type = str(facts["name"]), str(facts["content_type"])
    except (OSError, KeyError, ValueError, TypeError):
        raise ApiError(404, "the file of this job is gone: start a new job", reason="result_gone") from None
    if "," in request.headers.get("Range", ""):
        # Requests for several ranges get the whole file, as RFC 9110 (14.2) allows.
        del request.environ["HTTP_RANGE"]
    sent = sent_by_proxy(path, content_type)
    response = send_file(
        path,
        mimetype=content_type,
        conditional=sent is None,
        etag=f"{facts['file'].rpartition('.')[0]}-{size}",
        max_age=0,
    )
    if sent is not None:
        response.close()
        response = sent
    name_file(response, name, is_attachment=True)
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Accept-Ranges"] = "bytes"
    return response
