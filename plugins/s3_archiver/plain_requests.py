"""Plain requests to a bucket for what the client cannot do: multipart uploads that were left over, and its clock."""

import os
import ssl
import urllib.error
import urllib.request
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from plugins.s3_archiver.failures import StoreFailure, explain
from plugins.s3_archiver.settings import KEYS, BucketSettings
from plugins.s3_archiver.signing import Keys, sign_request

_SECONDS = 10
_MOST_BYTES = 4 << 20


class BucketRequests:
    """Signed requests with the keys of the options or of the environment's variables."""

    def __init__(self, settings: BucketSettings) -> None:
        self._settings = settings

    def send(self, method: str, path: str, query: dict[str, str]) -> str | None:
        """Send a request without a body; returns the answer, None if the keys are not known here (a role has them).

        Raises StoreFailure.
        """
        keys = self._find_keys()
        if keys is None:
            return None
        settings = self._settings
        url, headers = sign_request(
            method, settings.bucket_url + path, query, keys=keys, region=settings.region, at=datetime.now(UTC)
        )
        request = urllib.request.Request(url, method=method, headers=headers)  # noqa: S310 - checked by the options
        try:
            with self._open(request) as answer:
                return answer.read(_MOST_BYTES).decode("utf-8", "replace")
        except urllib.error.HTTPError as error:
            text = error.read(_MOST_BYTES).decode("utf-8", "replace")
            raise explain(RuntimeError(f"non-2xx status code: {error.code} {text}")) from None
        except OSError as error:
            raise _explain_connection(error) from None

    def clock_difference(self) -> float | None:
        """Seconds by which the clock of this machine is ahead of the `Date` of an answer; None without one."""
        request = urllib.request.Request(self._settings.url + "/", method="HEAD")  # noqa: S310 - checked by the options
        try:
            with self._open(request) as answer:
                text = answer.headers.get("Date")
        except urllib.error.HTTPError as error:
            text = error.headers.get("Date")
        except OSError:
            return None
        try:
            return (datetime.now(UTC) - parsedate_to_datetime(text)).total_seconds() if text else None
        except (TypeError, ValueError):
            return None

    def _find_keys(self) -> Keys | None:
        settings = self._settings
        if settings.credentials == KEYS:
            return Keys(settings.access_key, settings.secret_key)
        access, secret = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
        return Keys(access, secret, os.environ.get("AWS_SESSION_TOKEN", "")) if access and secret else None

    def _open(self, request: urllib.request.Request):
        context = ssl.create_default_context(cadata=self._settings.ca_certificate or None)
        if self._settings.ca_certificate:
            context.load_default_certs()
        opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), _NoRedirects)
        return opener.open(request, timeout=_SECONDS)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer: a signature is good for one host only."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


def _explain_connection(error: OSError) -> StoreFailure:
    reason = getattr(error, "reason", error)
    if isinstance(reason, ssl.SSLError):
        return StoreFailure("s3_certificate", str(reason))
    if isinstance(reason, TimeoutError):
        return StoreFailure("s3_timeout")
    return StoreFailure("s3_unreachable", str(reason))
