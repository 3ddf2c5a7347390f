"""Records the film of trials as a recorder does: a file in the storage, its row, and the fact for `on_segment`."""

from gateway import database
from gateway.config import Config
from gateway.footage.recordings import claim_recording
from gateway.footage.segment_scan import scan_segment
from gateway.footage.segments import Fence, SegmentValues, save_segment
from gateway.media import Part, SegmentFact, pack_parts, segment_key
from gateway.outputs import DeviceContext
from gateway.storage.local import ensure_storage
from gateway.testing.clip import init_segment


def record_segment(config: Config, device: DeviceContext, parts: list[Part]) -> SegmentFact:
    """Write parts into a closed segment of the device's recording."""
    storage = ensure_storage(config)
    settings = claim_recording(device.id, "trial")
    first, start_ms = parts[0], round(parts[0].start * 1000)
    key = segment_key(device.tenant_id, device.id, start_ms, first.run, first.sequence)
    data = init_segment() + b"".join(part.data for part in parts)
    writer = storage.create(key)
    writer.append(data)
    writer.sync()
    writer.close()
    scan = scan_segment(data)
    values = SegmentValues(
        start_ms=start_ms,
        duration_ms=scan.duration_ms,
        run=first.run,
        sequence=first.sequence,
        parts=len(scan.parts),
        frames=scan.frames,
        size=len(data),
        init_size=scan.init_size,
        storage_id=storage.id,
    )
    with database.session():
        fence = Fence(settings.recording_id, settings.fencing_token)
        segment_id = save_segment(fence, None, values, pack_parts(scan.parts), is_closed=True)
    return SegmentFact(segment_id, device.id, start_ms, scan.duration_ms, len(data), key)
