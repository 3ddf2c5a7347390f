"""Descriptions of path parameters in the OpenAPI document."""

from typing import Any

from apispec import BasePlugin

_DESCRIPTIONS = {
    "device_id": "id of the device",
    "snapshot_id": "id of the snapshot",
    "schedule_id": "id of the schedule",
    "bookmark_id": "id of the bookmark",
    "job_id": "id of the job",
    "protection_id": "id of the protected range",
    "segment_id": "id of the segment, as playlists and the list of the files of a date give it",
    "day": "date, such as 2026-11-22",
    "offset": "offset in the file, in bytes",
    "length": "number of bytes",
    "sound": "`sound`: with an audio track even where the camera sent none",
    "run": "number of the run, as playlists give it",
    "sequence": "number of the part within its run",
    "first": "number of the first part",
    "last": "number of the last part",
    "name": "name of the plugin",
    "archive": "name of the archive",
    "event_id": "id of the event",
    "tag": "tag of devices",
    "panel": "name of the panel",
}
#: Longest text of a parameter, in characters.
_LENGTHS = {"name": 100, "archive": 100, "tag": 50, "panel": 50}


class PathParameters(BasePlugin):
    """Describes the path parameters that the Flask plugin has found; apispec calls this plugin after that one."""

    def path_helper(self, *, parameters: list[dict[str, Any]], **_options: Any) -> None:
        for parameter in parameters:
            if parameter["in"] == "path" and parameter["name"] in _DESCRIPTIONS:
                parameter.setdefault("description", _DESCRIPTIONS[parameter["name"]])
            if parameter["in"] == "path" and parameter["name"] in _LENGTHS:
                parameter["schema"] |= {"maxLength": _LENGTHS[parameter["name"]]}
            if parameter["name"] == "day":
                parameter["schema"] |= {"format": "date", "maxLength": 10}
