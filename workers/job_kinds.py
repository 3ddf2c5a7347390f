"""The functions that run the kinds of jobs."""

from workers.captures.captures import SNAPSHOT, run_snapshot
from workers.clips.clips import CLIP, run_clip
from workers.exporting.exports import EXPORT, run_export
from workers.time_lapse.time_lapse import TIME_LAPSE, run_time_lapse

JOB_KINDS = {EXPORT: run_export, SNAPSHOT: run_snapshot, CLIP: run_clip, TIME_LAPSE: run_time_lapse}
