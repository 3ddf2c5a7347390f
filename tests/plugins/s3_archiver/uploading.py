"""An uploading process for tests: `python -m tests.plugins.s3_archiver.uploading SETTINGS.json`.

SIGTERM ends it, SIGUSR1 is a request to retry at once.
"""

import json
import signal
import sys
import threading
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from gateway import database
from plugins.s3_archiver.outbox import Outbox
from plugins.s3_archiver.service import lower_priority
from plugins.s3_archiver.settings import KINDS, BucketSettings, UploadSettings
from plugins.s3_archiver.uploader import Uploader
from tests.factories import make_config
from tests.plugins.s3_archiver.world import StubOptions


def write_settings(
    path: Path, *, config, bucket: BucketSettings, uploads: UploadSettings, device_ids: list[str]
) -> Path:
    """Write the file that the process reads."""
    folders = ("var_dir", "recordings_dir", "exports_dir", "captures_dir")
    values = {name: str(getattr(config, name)) for name in folders} | {"database_url": config.database_url}
    facts = {"config": values, "bucket": asdict(bucket), "uploads": asdict(uploads), "device_ids": device_ids}
    path.write_text(json.dumps(facts))
    return path


def main(file: str) -> None:
    facts = json.loads(Path(file).read_text())
    config = make_config(
        **{name: value if name.endswith("_url") else Path(value) for name, value in facts["config"].items()}
    )
    database.connect(config)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    asked = threading.Event()
    signal.signal(signal.SIGUSR1, lambda *_: asked.set())
    lower_priority()
    chosen = {kind: set(facts["device_ids"]) for kind in KINDS}
    options = StubOptions(BucketSettings(**facts["bucket"]), UploadSettings(**facts["uploads"]), chosen)
    status_file = Path(file).with_suffix(".status")

    def publish(status) -> None:
        status_file.write_text(json.dumps(asdict(status)))

    def asked_to_retry() -> bool:
        was_asked = asked.is_set()
        asked.clear()
        return was_asked

    outbox = Outbox(config, clock=lambda: datetime.now(UTC))
    uploader = Uploader(outbox, options, stop, publish=publish, asked_to_retry=asked_to_retry)
    uploader.run()


if __name__ == "__main__":
    main(sys.argv[1])
