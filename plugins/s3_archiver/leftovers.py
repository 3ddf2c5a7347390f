"""Removes the parts of multipart uploads that killed processes left in the bucket, invisible and not free."""

import logging
import re
from collections.abc import Collection

from gateway.devices.model import Device
from gateway.footage.recordings import Recording
from gateway.plugin_api import EVERY_TENANT, database
from plugins.s3_archiver.bucket import Bucket

log = logging.getLogger(__name__)

_OURS = re.compile(r"[0-9a-f-]{36}/([0-9a-f-]{36})/\d{4}-\d\d-\d\d/")
_BATCH = 500


def clean_leftovers(bucket: Bucket, busy: Collection[str]) -> int:
    """Abort the uploads of this installation that nobody goes on with; returns how many.

    One process uploads for the installation, so all but its own (`busy`) are dead. Uploads of other devices belong to
    another installation that shares the bucket. Does nothing where a role has the keys: then the bucket needs a rule
    that ends incomplete uploads. Raises StoreFailure, DatabaseUnavailable.
    """
    uploads = bucket.leftovers() or []
    owners = {upload.key: match.group(1) for upload in uploads if (match := _OURS.match(upload.key))}
    ours = _known_devices(set(owners.values()))
    dead = [upload for upload in uploads if owners.get(upload.key) in ours and upload.key not in busy]
    for upload in dead:
        bucket.abort(upload)
    if dead:
        log.info("aborted %d uploads that were left over", len(dead))
    return len(dead)


def _known_devices(ids: set[str]) -> set[str]:
    known: set[str] = set()
    wanted = sorted(ids)
    with database.session():
        for at in range(0, len(wanted), _BATCH):
            batch = wanted[at : at + _BATCH]
            known.update(row[0] for row in EVERY_TENANT.select(Device, Device.id).where(Device.id.in_(batch)).tuples())
            query = EVERY_TENANT.select(Recording, Recording.device_id).where(Recording.device_id.in_(batch))
            known.update(row[0] for row in query.tuples())
    return known
