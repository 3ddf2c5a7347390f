"""Rows of footage without files, for what only asks the index."""

from dataclasses import dataclass

from gateway import database
from gateway.media import PartFact, pack_parts
from gateway.models import TenantScope
from gateway.models.base import EVERY_TENANT, FootageScope
from gateway.models.recordings import Recording, find_recording
from gateway.models.segments import Gap, Segment, SegmentParts, SegmentState, StorageRow, add_to_quarter
from gateway.secrets import SecretBox
from tests.factories import make_device

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
SIZE = 1_000_000


@dataclass
class Rows:
    """The rows of one device's footage."""

    scope: TenantScope
    device_id: str
    id: int
    storage_id: int

    def recording(self) -> Recording:
        return find_recording(self.scope, self.device_id)

    def record(
        self,
        start_ms: int,
        minutes: int = 1,
        *,
        run: int = 1,
        sequence: int = 1,
        length_ms: int = MINUTE,
        state: SegmentState = SegmentState.CLOSED,
        parts: int = 120,
        has_parts: bool = False,
    ) -> list[int]:
        """So many files in a row of one run; gives their rows' ids."""
        ids = []
        with database.transaction():
            footage = FootageScope(self.id)
            for number in range(minutes):
                start = start_ms + number * length_ms
                ids.append(
                    footage.insert(
                        Segment, start_ms=start, duration_ms=length_ms, run=run, sequence=sequence + number * parts,
                        parts=parts, frames=1500, size=SIZE, init_size=900, state=state, storage_id=self.storage_id,
                        is_archived=0,
                    ).execute()
                )
                if state == SegmentState.CLOSED:
                    add_to_quarter(footage, start, length_ms, SIZE)
                if has_parts:
                    facts = [
                        PartFact(SIZE // parts, part * length_ms // parts, length_ms // parts, 12, part % 4 == 0, True)
                        for part in range(parts)
                    ]
                    SegmentParts.insert(segment_id=ids[-1], packed=pack_parts(facts)).execute()
        return ids

    def note(self, start_ms: int, end_ms: int | None, code: str, *, by: str | None = None, is_wanted: bool = True) -> None:
        """A gap's row."""
        with database.transaction():
            FootageScope(self.id).insert(
                Gap, start_ms=start_ms, end_ms=end_ms, reason_code=code, by_name=by, is_wanted=int(is_wanted)
            ).execute()

    def change(self, **values) -> Recording:
        """Set columns of the recording, and give it."""
        with database.transaction():
            EVERY_TENANT.update(Recording, **values).where(Recording.id == self.id).execute()
        return self.recording()


def make_rows(scope: TenantScope, box: SecretBox, **values) -> Rows:
    """A device that is recorded continuously, without footage yet; `values` as for `make_device`."""
    device = make_device(scope, box, **values)
    with database.transaction():
        storage = StorageRow.select().first()
        storage_id = storage.id if storage else StorageRow.insert(
            uuid="6c1f0f1e-0000-4000-8000-000000000001", kind="local", created_at=device.created_at
        ).execute()
        EVERY_TENANT.update(Recording, mode="continuous").where(Recording.device_id == device.id).execute()
    return Rows(scope, device.id, find_recording(scope, device.id).id, storage_id)
