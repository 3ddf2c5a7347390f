"""The pages of the web process: the built UI, and Swagger UI at `/docs`, all from local files."""

import mimetypes
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, request, send_from_directory
from werkzeug.exceptions import NotFound
from werkzeug.security import safe_join

from gateway.api.base import API_PREFIX
from gateway.api.compression import choose_encoding
from gateway.config import Config

#: Unknown paths below these are errors; all others show the start page of the UI.
_NOT_PAGES = ("/api/", "/docs", "/swagger/", "/assets/")
#: Suffixes of the compressed files that the build writes beside the others (ui/build/compressedFiles.ts), best first.
_ENCODINGS = {"br": ".br", "gzip": ".gz"}
_HOW_TO_BUILD = "run 'make run', or: npm --prefix ui ci && npm --prefix ui run build"

_DOCS_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>VAS: the REST API</title>
<link rel="stylesheet" href="/swagger/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/swagger/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
_DOCS_SCRIPT = f"""SwaggerUIBundle({{
  url: "{API_PREFIX}/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  validatorUrl: null,
}});
"""


def add_pages(app: Flask, config: Config) -> None:
    """Serve the UI at `/` and Swagger UI at `/docs`."""
    folder = find_ui(config.ui_dir)
    pages = Blueprint("pages", __name__)

    @pages.get("/docs")
    def docs() -> Response:
        if not (folder / "swagger" / "swagger-ui-bundle.js").is_file():
            text = f"Swagger UI is not built: {_HOW_TO_BUILD}\nThe document itself is at {API_PREFIX}/openapi.json\n"
            return Response(text, 503, mimetype="text/plain")
        return Response(_DOCS_PAGE, mimetype="text/html")

    @pages.get("/docs/start.js")
    def docs_script() -> Response:
        return Response(_DOCS_SCRIPT, mimetype="text/javascript")

    app.register_blueprint(pages)
    app.extensions["vas_ui"] = folder


def page_for(app: Flask) -> Response | None:
    """The reply to a path without a route: a file of the UI or its start page; None where an error is right."""
    if request.method not in ("GET", "HEAD") or request.path.startswith("/api"):
        return None
    folder: Path = app.extensions["vas_ui"]
    name = request.path.lstrip("/")
    if name and name != "index.html":
        try:
            return _file(folder, name)
        except NotFound:
            if request.path.startswith(_NOT_PAGES):
                return None
    if not (folder / "index.html").is_file():
        return Response(f"The UI is not built: {_HOW_TO_BUILD}\n", 503, mimetype="text/plain")
    return _file(folder, "index.html")


def find_ui(configured: Path) -> Path:
    """The folder of the built UI as configured, relative to the working directory or else to the checkout."""
    if configured.is_absolute() or configured.is_dir():
        return configured.absolute()
    return Path(__file__).parents[2] / configured


def _file(folder: Path, name: str) -> Response:
    """A file of the UI, in the smallest encoding that the client accepts."""
    if "\0" in name or name.endswith(tuple(_ENCODINGS.values())):
        abort(404)
    encodings = [coding for coding, suffix in _ENCODINGS.items() if _is_file(folder, name + suffix)]
    encoding = choose_encoding(encodings)
    mimetype = mimetypes.guess_type(name)[0] or "application/octet-stream"
    response = send_from_directory(folder, name + _ENCODINGS.get(encoding, ""), mimetype=mimetype, conditional=False)
    if encoding:
        response.headers["Content-Encoding"] = encoding
    if encodings:
        response.vary.add("Accept-Encoding")
    # Without a length, so that Range is ignored (RFC 9110, 14.2): it is useless for pages, and werkzeug raises for any
    # that it cannot satisfy.
    response.make_conditional(request)
    # Vite puts a hash of the content into every name in assets/, so these files never change.
    hashed = name.startswith("assets/")
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if hashed else "no-cache"
    return response


def _is_file(folder: Path, name: str) -> bool:
    path = safe_join(str(folder), name)
    return path is not None and Path(path).is_file()
