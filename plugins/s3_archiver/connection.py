"""The test of the connection: writes, reads, lists and deletes a small object, and says what is wrong."""

import os
import time
import uuid
from collections.abc import Callable
from typing import Any

from gateway.plugin_api import JobContext, NotFound, PluginContext
from plugins.s3_archiver.bucket import Bucket
from plugins.s3_archiver.failures import StoreFailure
from plugins.s3_archiver.settings import BucketSettings, read_settings
from plugins.s3_archiver.status import describe_failure

#: The folder of the objects of tests, below the prefix; no key of anything else begins so.
TEST_FOLDER = "vas-connection-test"
_BYTES = 100_000
_SKEW_SECONDS = 300.0
#: A process knows changed options after at most this time.
_OPTIONS_SECONDS = 2.0


def try_connection(
    settings: BucketSettings | None,
    *,
    open_bucket: Callable[..., Bucket] = Bucket,
    check: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Test a bucket step by step; the first step that fails ends it. `check` is called before each step."""
    key, data = f"{TEST_FOLDER}/{uuid.uuid4()}", os.urandom(_BYTES)
    steps: list[dict[str, Any]] = []
    found: dict[str, Any] = {"is_ok": False, "steps": steps, "clock_difference_seconds": None, "cleans_up": None}
    try:
        if settings is None:
            raise StoreFailure("s3_no_bucket")
        bucket = open_bucket(settings, is_hurried=True)
    except StoreFailure as failure:
        steps.append({"name": "open", "is_ok": False, "reason": describe_failure(failure)})
        return found
    difference = bucket.clock_difference()
    found["clock_difference_seconds"] = None if difference is None else round(difference, 1)

    def clean_up() -> None:
        # None: a role has the keys, and left-over parts are ended by a rule of the bucket.
        found["cleans_up"] = bucket.leftovers() is not None

    for name, run in (
        ("write", lambda: bucket.put(key, data, part_size=None, content_type="application/octet-stream")),
        ("read", lambda: _compare(bucket, key, data)),
        ("list", lambda: _expect(key in dict(bucket.keys(f"{TEST_FOLDER}/")), "the new object is not listed")),
        ("list_uploads", clean_up),
        ("delete", lambda: _expect(bucket.delete(key) and bucket.find(key) is None, "the object is still there")),
    ):
        check()
        try:
            run()
        except StoreFailure as failure:
            if difference is not None and abs(difference) > _SKEW_SECONDS:
                failure = StoreFailure("s3_clock_skew", f"this machine is {difference:+.0f} s off; {failure.detail}")
            steps.append({"name": name, "is_ok": False, "reason": describe_failure(failure)})
            return found
        steps.append({"name": name, "is_ok": True, "reason": None})
    found["is_ok"] = True
    return found


def _compare(bucket: Bucket, key: str, data: bytes) -> None:
    try:
        _expect(b"".join(bucket.read(key)) == data, "the bytes that were read are not those that were written")
        _expect(b"".join(bucket.read(key, 1000, 10)) == data[1000:1010], "a range is not that of the object")
    except NotFound:
        raise StoreFailure("s3_changed", "the new object is missing") from None


def _expect(condition: bool, problem: str) -> None:
    if not condition:
        raise StoreFailure("s3_changed", problem)


def run_test(plugin: PluginContext, context: JobContext) -> dict[str, Any]:
    """The job: test the bucket of the options."""
    # The options may have been saved just now: wait until this process knows them.
    until = time.monotonic() + _OPTIONS_SECONDS
    while time.monotonic() < until:
        context.check()
        time.sleep(0.1)
    context.report(0.1, "connecting")
    return try_connection(read_settings(plugin.options.installation()).bucket, check=context.check)
