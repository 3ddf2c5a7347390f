"""The archive with the state of its uploads, for the storage panel of the core."""

import redis

from gateway.plugin_api import (
    COPYING,
    ArchiveFailure,
    ArchiveWork,
    PluginContext,
    RedisErrorsAs,
    Unavailable,
    connect_redis,
)
from plugins.s3_archiver.archive import S3Archive
from plugins.s3_archiver.settings import read_settings
from plugins.s3_archiver.status import UPLOADING, Status, StatusStore

TEST_KIND = "s3_archiver.test"


class ReportedArchive(S3Archive):
    """The bucket of the options; `gateway.archives.ObservedArchive`."""

    def __init__(self, plugin: PluginContext) -> None:
        super().__init__(lambda: read_settings(plugin.options.installation()).bucket)
        self._jobs = plugin.jobs
        self._reports = StatusStore(connect_redis(plugin.config.redis_url, timeout_seconds=1.0))

    def work(self) -> ArchiveWork:
        """The state of the uploads."""
        try:
            found = self._reports.read()
        except redis.RedisError:
            found = None
        return ArchiveWork() if found is None else describe(found)

    def retry(self) -> None:
        """End the pauses of the uploads."""
        with RedisErrorsAs(Unavailable, "Redis does not answer"):
            self._reports.ask_to_retry()

    def start_test(self) -> str:
        """Test the connection from the process that uploads."""
        return self._jobs.create(TEST_KIND, {})


def describe(status: Status) -> ArchiveWork:
    """The state in the words of the core."""
    reason = status.reason
    return ArchiveWork(
        state=COPYING if status.state == UPLOADING else status.state,
        failure=None if reason is None else ArchiveFailure(reason["code"], reason["message"], reason["remedy"]),
        failing_since=status.failing_since,
        next_try_at=status.next_try_at,
        bytes_per_second=status.bytes_per_second,
        ends_at=status.ends_at,
    )
