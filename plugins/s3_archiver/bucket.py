"""A bucket: putting, reading, listing and deleting objects through obstore, with failures that say what to do."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from typing import Any

import obstore
from obstore.store import S3Store

from gateway.plugin_api import NotFound
from plugins.s3_archiver.failures import StoreFailure, explain, is_missing
from plugins.s3_archiver.plain_requests import BucketRequests
from plugins.s3_archiver.settings import HOST, KEYS, NONE, BucketSettings

#: Size of the parts of a multipart upload, the smallest that S3 allows: each upload holds two of them in memory.
PART_BYTES = 5 << 20
#: S3 allows 10,000 parts; the parts of larger objects are larger.
_MOST_PARTS = 9_000
#: A part may take this long on a slow connection: 17 kB/s.
_UPLOAD_SECONDS = 300
#: Readers wait: the storage must send something within this time.
_READ_SECONDS = 8
_CONNECT_SECONDS = 4
_READ_CHUNK = 1 << 20
_UPLOADS_SEEN = 10_000


@dataclass(frozen=True, slots=True)
class Stored:
    """What the storage says about an object."""

    size: int
    etag: str


@dataclass(frozen=True, slots=True)
class Leftover:
    """A multipart upload that was begun and never ended. `key` is without the prefix."""

    key: str
    upload_id: str


class Bucket:
    """Objects by key, below the prefix of the settings. Every method may raise StoreFailure. Thread-safe.

    `is_hurried`: writes end soon too, for a test of the connection. Readers wait for `read_seconds`, twice at most.
    """

    def __init__(
        self,
        settings: BucketSettings,
        *,
        is_hurried: bool = False,
        read_seconds: float = _READ_SECONDS,
        store: Any = None,
    ) -> None:
        self.settings = settings
        seconds, retries = (_READ_SECONDS, 0) if is_hurried else (_UPLOAD_SECONDS, 3)
        self._writing = store or _build_store(settings, retries=retries, timeout=f"{seconds}s")
        self._reading = store or _build_store(settings, retries=1, timeout="1h", read_timeout=f"{read_seconds}s")
        self._requests = BucketRequests(settings)

    def put(self, key: str, data: bytes | Iterable[bytes], *, part_size: int | None, content_type: str) -> str:
        """Store an object, whole or not at all; returns its ETag. With `part_size` `data` is uploaded in parts.

        An exception of the iterator `data` passes, and the upload is aborted.
        """
        attributes = {"Content-Type": content_type}
        if self.settings.storage_class:
            attributes["Storage-Class"] = self.settings.storage_class
        options: dict[str, Any] = {"use_multipart": False}
        if part_size is not None:
            # One part is sent while the next one is read: more at a time would only take memory.
            options = {"use_multipart": True, "chunk_size": part_size, "max_concurrency": 1}
        with self._explained():
            found = obstore.put(self._writing, key, data, attributes=attributes, **options)
        return _bare(found.get("e_tag"))

    def read(self, key: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Read an object in chunks. Raises NotFound at the call itself; nothing is at and after its end."""
        if length == 0:
            if self.find(key) is None:
                raise _no_object(key)
            return iter(())
        wanted: Any = None
        if offset or length is not None:
            wanted = {"offset": offset} if length is None else (offset, offset + length)
        with self._explained():
            try:
                found = obstore.get(self._reading, key, options={"range": wanted} if wanted else {})
            except Exception as error:
                if is_missing(error):
                    raise _no_object(key) from None
                if "<Code>InvalidRange</Code>" in str(error) or "status code: 416" in str(error):
                    return iter(())
                raise
        return self._chunks(found)

    def find(self, key: str) -> Stored | None:
        """Size and ETag of an object; None if there is none."""
        try:
            with self._explained(missing=True):
                found = obstore.head(self._reading, key)
        except _Missing:
            # A HEAD request has no answer to tell a missing object from a missing bucket; a GET request has.
            return self._find_by_reading(key)
        return Stored(found["size"], _bare(found.get("e_tag")))

    def read_sample(self, key: str, offset: int, length: int) -> tuple[Stored, bytes]:
        """Some bytes of an object together with its size and ETag, as one request. Raises NotFound."""
        with self._explained():
            try:
                found = obstore.get(self._reading, key, options={"range": (offset, offset + length)})
                data = bytes(found.bytes())
            except Exception as error:
                if is_missing(error):
                    raise _no_object(key) from None
                raise
        return Stored(found.meta["size"], _bare(found.meta.get("e_tag"))), data

    def keys(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Key and size of every object whose key begins with `prefix`."""
        # The client lists whole folders: the last name may be incomplete.
        folder, _, _ = prefix.rpartition("/")
        with self._explained():
            for page in obstore.list(self._reading, folder or None, chunk_size=1000):
                for one in page:
                    if one["path"].startswith(prefix):
                        yield one["path"], one["size"]

    def delete(self, key: str) -> bool:
        """Delete an object; False if there was none."""
        if self.find(key) is None:
            return False
        with self._explained():
            obstore.delete(self._writing, key)
        return True

    def presign(self, key: str, seconds: int) -> str | None:
        """A URL at which anybody can read the object for some time; None if the options do not allow it."""
        if not self.settings.presign:
            return None
        with self._explained():
            return obstore.sign(self._reading, "GET", key, timedelta(seconds=seconds))

    def leftovers(self) -> list[Leftover] | None:
        """The multipart uploads that have not ended; None if the credentials are not known here."""
        found: list[Leftover] = []
        marker: dict[str, str] = {}
        prefix = f"{self.settings.prefix}/" if self.settings.prefix else ""
        while len(found) < _UPLOADS_SEEN:
            answer = self._requests.send("GET", "", {"uploads": "", "prefix": prefix, **marker})
            if answer is None:
                return None
            for upload in re.findall(r"<Upload>(.*?)</Upload>", answer, re.DOTALL):
                key, upload_id = _text(upload, "Key"), _text(upload, "UploadId")
                if key.startswith(prefix) and upload_id:
                    found.append(Leftover(key.removeprefix(prefix), upload_id))
            if _text(answer, "IsTruncated") != "true" or not _text(answer, "NextKeyMarker"):
                break
            marker = {
                "key-marker": _text(answer, "NextKeyMarker"),
                "upload-id-marker": _text(answer, "NextUploadIdMarker"),
            }
        return found

    def abort(self, upload: Leftover) -> None:
        """Abort a multipart upload: the storage deletes its parts."""
        path = f"/{self.settings.prefix}/{upload.key}" if self.settings.prefix else f"/{upload.key}"
        self._requests.send("DELETE", path, {"uploadId": upload.upload_id})

    def clock_difference(self) -> float | None:
        """Seconds by which the clock of this machine is ahead of the storage's; None if it does not say."""
        return self._requests.clock_difference()

    def _find_by_reading(self, key: str) -> Stored | None:
        try:
            with self._explained(missing=True):
                found = obstore.get(self._reading, key, options={"range": (0, 1)})
        except _Missing:
            return None
        except StoreFailure as failure:
            if "InvalidRange" in failure.detail:
                return Stored(0, "")
            raise
        return Stored(found.meta["size"], _bare(found.meta.get("e_tag")))

    def _chunks(self, found: Any) -> Iterator[bytes]:
        with self._explained():
            for chunk in found.stream(min_chunk_size=_READ_CHUNK):
                yield bytes(chunk)

    @contextmanager
    def _explained(self, *, missing: bool = False) -> Iterator[None]:
        """Turn errors of the client into StoreFailure, with `missing` also into _Missing; errors of files pass."""
        try:
            yield
        except (StoreFailure, NotFound):
            raise
        except FileNotFoundError as error:
            if "at location" not in str(error):
                raise
            if missing and is_missing(error):
                raise _Missing from None
            raise explain(error) from None
        except obstore.exceptions.BaseError as error:
            raise explain(error) from None
        except BaseException as error:
            # A mistake inside the client is a "panic", which is no Exception, and must not end the process.
            if type(error).__name__ == "PanicException":
                raise StoreFailure("s3_client", str(error)[:200]) from None
            raise


class _Missing(Exception):
    """There is no such object, or no such bucket."""


def part_size_of(size: int) -> int | None:
    """The size of the parts in which a file of this size is uploaded; None if it is uploaded in one piece."""
    if size <= PART_BYTES:
        return None
    mebibyte = 1 << 20
    return max(PART_BYTES, -(-size // (_MOST_PARTS * mebibyte)) * mebibyte)


def _build_store(settings: BucketSettings, *, retries: int, **client_options: str) -> S3Store:
    options: dict[str, Any] = {
        "allow_http": settings.allow_http,
        "connect_timeout": f"{_CONNECT_SECONDS}s",
        "user_agent": "vas-s3-archiver",
        **client_options,
    }
    if settings.ca_certificate:
        options["root_certificate"] = settings.ca_certificate
    config: dict[str, Any] = {"region": settings.region, "virtual_hosted_style_request": settings.addressing == HOST}
    if settings.endpoint:
        config["endpoint"] = settings.url
    if settings.encryption != NONE:
        config["server_side_encryption"] = settings.encryption
        if settings.kms_key:
            config["sse_kms_key_id"] = settings.kms_key
    if settings.send_checksums:
        config["checksum_algorithm"] = "sha256"
    try:
        return _make_store(settings, config, options, retries)
    except ValueError as error:
        raise StoreFailure("s3_client", str(error)[:200]) from None
    except obstore.exceptions.BaseError as error:
        raise explain(error) from None


def _make_store(settings: BucketSettings, config: dict[str, Any], options: dict[str, Any], retries: int) -> S3Store:
    return S3Store(
        settings.bucket,
        prefix=settings.prefix or None,
        config=config,
        client_options=options,
        retry_config={"max_retries": retries, "retry_timeout": timedelta(seconds=60)},
        credential_provider=_fixed_keys(settings) if settings.credentials == KEYS else None,
    )


def _fixed_keys(settings: BucketSettings) -> Callable[[], dict[str, Any]]:
    """The keys of the options, which variables of the environment must not replace."""
    return lambda: {
        "access_key_id": settings.access_key,
        "secret_access_key": settings.secret_key,
        "token": None,
        "expires_at": None,
    }


def _bare(etag: str | None) -> str:
    return (etag or "").removeprefix("W/").strip('"')


def _text(xml: str, tag: str) -> str:
    found = re.search(rf"<{tag}>([^<]*)</{tag}>", xml)
    return unescape(found.group(1)) if found else ""


def _no_object(key: str) -> NotFound:
    return NotFound(f"there is no object '{key}'")
