"""What runs each kind of job."""

from workers.captures import SNAPSHOT, run_snapshot
from workers.clips import CLIP, run_clip
from workers.exports import EXPORT, run_export
from workers.time_lapse import TIME_LAPSE, run_time_lapse

JOB_KINDS = {EXPORT: run_export, SNAPSHOT: run_snapshot, CLIP: run_clip, TIME_LAPSE: run_time_lapse}
