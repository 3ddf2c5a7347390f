"""Posts each new bookmark as JSON to an address, again after failures."""

import json
import urllib.error
import urllib.request
from time import monotonic, sleep

import marshmallow as ma

from gateway.plugin_api import (
    JobFailed,
    OptionSchemas,
    PluginJob,
    Secret,
    Text,
    format_time,
    hookimpl,
)

requires_plugin_api = ">=1.0,<2"

#: Pauses between attempts, in seconds.
PAUSES = (1, 5, 30, 120)
TIMEOUT_SECONDS = 10


class InstallationOptions(ma.Schema):
    url = Text(
        high=2000,
        validate=ma.validate.URL(schemes=("http", "https"), require_tld=False),
        metadata={"title": "Address", "description": "gets a POST for each new bookmark; empty: nothing is sent"},
    )
    token = Secret(metadata={"title": "Token", "description": "sent as Authorization: Bearer"})


@hookimpl
def register_options():
    return [OptionSchemas(installation=InstallationOptions)]


@hookimpl
def on_bookmark(device_id, bookmark, plugin):
    """Create a job, so that nothing is lost while the receiver is away, and people see what became of it."""
    if bookmark.change != "created" or not plugin.options.installation()["url"]:
        return
    names = {device.id: device.name for device in plugin.devices()}
    message = {
        "type": "bookmark.created",
        "device_id": device_id,
        "device": names.get(device_id),
        "id": bookmark.id,
        "at": format_time(bookmark.at_ms),
        "title": bookmark.title,
        "tags": list(bookmark.tags),
    }
    plugin.jobs.create("webhook.post", message, device_id=device_id)


@hookimpl
def register_jobs(plugin):
    def run(attempt, context):
        options = plugin.options.installation()
        if not options["url"]:
            raise JobFailed("plugin_failed", "no address is set")
        for number, pause in enumerate((*PAUSES, None), start=1):
            context.report(0.0, f"attempt {number}")
            problem = post(options["url"], options["token"], attempt.parameters)
            if problem is None:
                return {"attempts": number}
            if pause is None:
                break
            context.report(0.0, f"{problem}; next attempt in {pause} s")
            wait(pause, context.check)
        raise JobFailed("plugin_failed", problem)

    return [PluginJob("webhook.post", run, "Post a bookmark")]


def post(url, token, message):
    """Send one message; returns None, or what went wrong."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(url, json.dumps(message).encode(), headers)
    try:
        with urllib.request.build_opener(NoRedirects).open(request, timeout=TIMEOUT_SECONDS):
            return None
    except urllib.error.HTTPError as error:
        return f"the receiver answered {error.code}"
    except OSError as error:
        return f"the receiver cannot be reached: {getattr(error, 'reason', error)}"


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """The token is for the address that was set, and for no other."""

    def redirect_request(self, *_values):
        return None


def wait(seconds, check):
    """Wait; `check` raises what ends the job when it is cancelled or its worker stops."""
    end = monotonic() + seconds
    while monotonic() < end:
        check()
        sleep(0.2)
