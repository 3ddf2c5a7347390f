"""What the OpenAPI document says of the parameters in paths."""

from typing import Any

from apispec import BasePlugin

_ABOUT = {
    "device_id": "id of the device",
    "snapshot_id": "id of the snapshot",
    "schedule_id": "id of the schedule",
    "bookmark_id": "id of the bookmark",
    "job_id": "id of the job",
    "protection_id": "id of the protected range",
    "segment_id": "id of the file, as the list of a date's files and playlists name it",
    "day": "the date, such as 2026-11-22",
    "offset": "bytes from the beginning of the file",
    "length": "bytes",
    "sound": "`sound`: with a track of sound also where the camera sent none",
    "run": "number of the run, as playlists name it",
    "sequence": "number of the part in its run",
    "first": "number of the first part",
    "last": "number of the last part",
}


class PathParameters(BasePlugin):
    """Describes the parameters that the routes' own plugin has found in a path; apispec calls it after that one."""

    def path_helper(self, *, parameters: list[dict[str, Any]], **_options: Any) -> None:
        for parameter in parameters:
            if parameter["in"] == "path" and parameter["name"] in _ABOUT:
                parameter.setdefault("description", _ABOUT[parameter["name"]])
