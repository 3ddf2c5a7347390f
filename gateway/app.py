"""`create_app()`: the web process, for `gunicorn 'gateway.app:create_app()'`."""

from functools import partial

from flask import Response
from werkzeug.exceptions import NotFound

from gateway import __version__, database, sandbox
from gateway.api.base import API_PREFIX, Api, ApiServices, JsonReplies
from gateway.api.bookmarks.routes import blp as bookmarks
from gateway.api.compression import add_compression
from gateway.api.conditional import complete_etag
from gateway.api.deferred import WaitingFlask
from gateway.api.devices.bin import blp as device_bin
from gateway.api.devices.poster import blp as posters
from gateway.api.devices.routes import blp as devices
from gateway.api.errors import handle_http_error
from gateway.api.events.device_lanes import blp as device_lanes
from gateway.api.events.routes import blp as events
from gateway.api.exports.routes import blp as exports
from gateway.api.footage.routes import blp as footage
from gateway.api.health.routes import blp as health
from gateway.api.jobs.routes import blp as jobs
from gateway.api.lanes import lane_of
from gateway.api.metrics.routes import blp as metrics
from gateway.api.pages import add_pages, page_for
from gateway.api.path_parameters import PathParameters
from gateway.api.playback.live import blp as live_recordings
from gateway.api.playback.recorded import blp as playback
from gateway.api.plugin_options.document import add_typed_options
from gateway.api.plugin_options.routes import blp as plugin_options
from gateway.api.plugins.blueprints import add_plugin_blueprints
from gateway.api.plugins.panels import blp as plugins_blp
from gateway.api.protection import protect
from gateway.api.recordings.routes import blp as recordings
from gateway.api.schedules.routes import blp as snapshot_schedules
from gateway.api.snapshots.capture import blp as captures
from gateway.api.snapshots.routes import blp as snapshots
from gateway.api.streams.routes import blp as streams
from gateway.api.time_lapses.routes import blp as time_lapses
from gateway.config import Config
from gateway.events.bell import hang_bell
from gateway.isolation.guard import GUARD
from gateway.logs import setup_logging
from gateway.metrics.of_plugins import metrics_of
from gateway.panels import panels_of
from gateway.plugin_loading import load_plugins
from gateway.plugin_manager import PluginManager
from gateway.plugin_options.registry import registry_of
from gateway.private_files import keep_files_private
from gateway.web.limits import LIMITS, WebLimits

_DESCRIPTION = """A camera gateway: RTSP in, WebRTC and HLS out, with recording.

Lists are JSON arrays; the header `X-Pagination` carries the number of items and pages. Times are RFC 3339 in UTC. Every
error has the shape of the schema `Error`: `reason` is a stable identifier for programs, `message` says what is wrong
and what would be right, and `errors` names the fields.
Large replies to GET are compressed for `Accept-Encoding: gzip`, but not for pages of other sites.

Within `/api/v1` changes are additions: new operations, new optional parameters and request fields, new fields in
replies, and new values of enumerations in replies, such as codes of reasons. A client ignores fields and treats values
that it does not know as unknown. What is to be removed is marked `deprecated`, with its successor in its description,
for at least one minor version and six months; anything else would be `/api/v2`. Operation ids are stable.

Unknown names in a body or a query are refused with 422. At addresses of media (playlists, segments, pictures, clips),
where portals and caches add parameters of their own, unknown names in the query are ignored.

Any request may also be answered with 400 (malformed, or a host that TRUSTED_HOSTS does not allow), 403 (a change
requested by a page of another site), 408 (head or body sent too slowly), 413 (body too large), 414 (target longer than
16 KiB), 415 (body that is not JSON), 431 (a header longer than 8 KiB, or more than 100), 501 (unknown transfer coding)
or 503 (a component is unavailable, or too many requests wait; retry after `Retry-After`)."""


def create_app(config: Config | None = None, plugins: PluginManager | None = None) -> WaitingFlask:
    """The Flask application; it connects to nothing before the first request.

    `config` defaults to the environment, `plugins` to all installed ones. Logging is set up only without a `config`,
    that is when the application is a program of its own, and so is the umask. Raises ConfigError.
    """
    if config is None:
        config = Config.from_environment()
        setup_logging(config)
        sandbox.forbid_core_dumps()
        keep_files_private(config)
        GUARD.start(config.var_dir, "web")
    plugins = plugins or load_plugins(config)
    database.connect(config)
    hang_bell(config)
    app = WaitingFlask(__name__, static_folder=None)
    app.config.update(
        API_TITLE="VAS",
        API_VERSION=__version__,
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX=API_PREFIX,
        OPENAPI_JSON_PATH="openapi.json",
        API_SPEC_OPTIONS={
            "info": {"description": _DESCRIPTION, "license": {"name": "MIT", "identifier": "MIT"}},
            "servers": [{"url": "/"}],
        },
        MAX_CONTENT_LENGTH=config.max_body_bytes,
        MAX_FORM_MEMORY_SIZE=config.max_body_bytes,
    )
    app.json = JsonReplies(app)
    app.extensions[LIMITS] = WebLimits.from_config(config, lane_of)
    ApiServices.build(config, plugins).attach(app)
    api = Api(app, spec_kwargs={"extra_plugins": [PathParameters()]})
    protect(app, config)
    add_compression(app)
    app.after_request(complete_etag)
    boxes = (
        devices,
        posters,
        device_bin,
        streams,
        recordings,
        footage,
        playback,
        live_recordings,
        exports,
        snapshots,
        captures,
        snapshot_schedules,
        time_lapses,
        bookmarks,
        jobs,
        events,
        device_lanes,
        plugins_blp,
        plugin_options,
        health,
        metrics,
    )
    for blueprint in boxes:
        api.add(blueprint)
    add_plugin_blueprints(app, api, plugins, config)
    # A plugin with an invalid one is set aside, and named, from the start.
    panels_of(plugins)
    metrics_of(plugins)
    api.complete = partial(add_typed_options, registry_of(plugins).all)
    add_pages(app, config)

    @app.errorhandler(NotFound)
    def page_or_error(error: NotFound) -> Response:
        return page_for(app) or handle_http_error(error)

    return app
