"""Names under which browsers save what they fetch."""

import re
from urllib.parse import quote

from flask import Response

#: What a file system, a header or a shell may take amiss in a name.
_UNSAFE = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f]+')
_MAX_STEM = 120


def safe_name(stem: str, suffix: str, otherwise: str) -> str:
    """A name that any system takes; `otherwise` is the stem where nothing of the wished one is left."""
    # Neither a hidden file nor one that Windows cannot open.
    cleaned = _UNSAFE.sub("_", stem)[:_MAX_STEM].strip(" .")
    return f"{cleaned or otherwise}.{suffix}"


def name_file(response: Response, name: str, *, is_attachment: bool) -> Response:
    """Give a reply its file name (RFC 6266), in any script; an attachment is saved rather than shown."""
    kind = "attachment" if is_attachment else "inline"
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    disposition = f'{kind}; filename="{plain}"'
    if plain != name:
        disposition += f"; filename*=UTF-8''{quote(name, safe='')}"
    response.headers["Content-Disposition"] = disposition
    return response
