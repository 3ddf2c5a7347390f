"""The detector `http`: posts pictures as JPEG to a service, which answers with boxes."""

import contextlib
import http.client
import io
import json
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from PIL import Image

from gateway.devices.sources import SourcePolicy, SourceUrl, check_addresses, check_source
from gateway.plugin_api import Config, Detection, Detector, DetectorSession, Frame
from plugins.ai_analytics.detectors.answers import check_detections

PORTS = {"http": 80, "https": 443}
_TIMEOUT_SECONDS = 5.0
_MOST_ANSWER = 256 << 10
_QUALITY = 85


class HttpDetectorError(Exception):
    """The service cannot be used; the message says why."""


class HttpDetector(Detector):
    """Asks a service of the network."""

    name = "http"

    def __init__(self, config: Config) -> None:
        self._policy = SourcePolicy.from_config(config, PORTS)

    def open(self, options: Mapping[str, Any]) -> DetectorSession:
        """Check the address. Raises InvalidValue or HttpDetectorError."""
        url = options.get("http_url")
        if not url:
            raise HttpDetectorError("'http_url' must be set to the address of the service")
        source = check_source(url, self._policy, "http_url")
        return HttpSession(
            source,
            # Looked up for each connection: a name may lead elsewhere by then.
            lambda: check_addresses(source, self._policy, "http_url"),
            token=options.get("http_token"),
            seconds=options.get("http_timeout_seconds") or _TIMEOUT_SECONDS,
        )


class HttpSession(DetectorSession):
    """One connection, opened again when it has ended."""

    def __init__(
        self, source: SourceUrl, resolve: Callable[[], list[str]], *, token: str | None, seconds: float
    ) -> None:
        self._source = source
        self._resolve = resolve
        self._token = token
        self._seconds = seconds
        self._connection: http.client.HTTPConnection | None = None

    def detect(self, frame: Frame) -> Sequence[Detection]:
        """Post a picture. Raises HttpDetectorError."""
        try:
            is_old = self._connection is not None
            try:
                values = self._ask(frame)
            except (OSError, http.client.HTTPException):
                # Services close connections that were idle.
                if not is_old:
                    raise
                self.close()
                values = self._ask(frame)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise HttpDetectorError(
                f"the service does not answer: {str(error)[:150] or type(error).__name__}"
            ) from None
        except HttpDetectorError:
            self.close()
            raise
        detections, problem = check_detections(values)
        if problem is not None and not detections:
            raise HttpDetectorError(f"the service answers nonsense: {problem}")
        return detections

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.close()

    def _ask(self, frame: Frame) -> Any:
        if self._connection is None:
            self._connection = self._connect()
        headers = {
            "Content-Type": "image/jpeg",
            "Accept": "application/json",
            "X-Device-Id": frame.device_id,
            "X-Capture-Time-Ms": str(frame.at_ms),
            **({"Authorization": f"Bearer {self._token}"} if self._token else {}),
        }
        self._connection.request("POST", self._source.rest or "/", encode_jpeg(frame), headers)
        answer = self._connection.getresponse()
        body = answer.read(_MOST_ANSWER + 1)
        if 300 <= answer.status < 400:
            raise HttpDetectorError(f"the service redirects (status {answer.status}), which is not followed")
        if answer.status != 200:
            raise HttpDetectorError(f"the service answers with status {answer.status}")
        if len(body) > _MOST_ANSWER:
            raise HttpDetectorError(f"the service answers more than {_MOST_ANSWER >> 10} kB")
        try:
            values = json.loads(body)
        except (ValueError, RecursionError):
            raise HttpDetectorError("the service answers no JSON") from None
        return values.get("detections") if isinstance(values, dict) else values

    def _connect(self) -> http.client.HTTPConnection:
        source = self._source
        addresses = self._resolve()
        if not addresses:
            raise HttpDetectorError(f"the name '{source.host}' cannot be resolved")
        port = source.port or PORTS[source.scheme]
        plain = socket.create_connection((addresses[0], port), self._seconds)
        if source.scheme == "https":
            plain = ssl.create_default_context().wrap_socket(plain, server_hostname=source.host)
        # The host of the request is the name; the connection leads to the address that was checked.
        connection = http.client.HTTPConnection(unquote(source.host), port, timeout=self._seconds)
        connection.sock = plain
        connection.auto_open = 0
        return connection


def encode_jpeg(frame: Frame) -> bytes:
    """The picture as JPEG."""
    buffer = io.BytesIO()
    Image.frombuffer("RGB", (frame.width, frame.height), frame.rgb).save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()
