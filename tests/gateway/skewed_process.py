"""`python -m tests.gateway.skewed_process DATABASE_URL REDIS_URL FOLDER DEVICE_ID`: another machine's processes.

Started under a skewed clock. It makes one pass of the clock process with its threads, notes the demand of a viewer,
and prints as JSON what it saw.
"""

import json
import sys
import time
from pathlib import Path

from gateway import database
from gateway.captures.files import CaptureFiles
from gateway.captures.queue import CaptureQueue
from gateway.file_clock import measure_file_clock
from gateway.jobs.files import remove_orphans
from gateway.redis_client import connect_redis
from gateway.service_clock import ServiceClock
from gateway.storage.local import open_storage
from gateway.streams.messages import Messages
from gateway.streams.model import touch_demand
from gateway.tenancy.scopes import EVERY_TENANT
from tests.factories import make_config
from workers.schedule.capture_cleanup import CaptureCleanup
from workers.schedule.scheduler import Reconciler
from workers.schedule.snapshot_clock import SnapshotClock


def main() -> None:
    database_url, redis_url, folder, device_id = sys.argv[1:]
    root = Path(folder)
    config = make_config(
        database_url=database_url,
        redis_url=redis_url,
        recordings_dir=root / "recordings",
        exports_dir=root / "exports",
        captures_dir=root / "captures",
    )
    database.connect(config)
    client = connect_redis(redis_url)
    storage = open_storage(config)
    listed = storage.list("tenant") if storage.root.exists() else ()
    ages = [time.time() - modified for _, _, modified in listed]
    Reconciler(config, client, Messages.connect(config)).reconcile()
    SnapshotClock(config, CaptureQueue(client), ServiceClock()).turn()
    CaptureCleanup(config, ServiceClock()).turn()
    touch_demand(EVERY_TENANT, device_id, database.now())
    seen = {
        "wall": time.time(),
        "service": ServiceClock().wall(),
        "file_clock": measure_file_clock(root),
        "ages": ages,
        "old_captures": [key for key, _ in CaptureFiles.from_config(config).old_files(3600)],
        "orphans": remove_orphans(config, []),
    }
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
