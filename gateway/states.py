"""The states of a stream, the one table of transitions between them, and the reasons people read."""

from dataclasses import dataclass
from enum import StrEnum


class DesiredState(StrEnum):
    """The wish, written by the API and the clock process."""

    STOPPED = "stopped"
    RUNNING = "running"


class StreamState(StrEnum):
    """The fact, written by the owner of the stream alone."""

    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    RECONNECTING = "reconnecting"
    STOPPING = "stopping"
    FAILED = "failed"


_S = StreamState

#: From each state, the states that may follow. A worker that takes over after a crash finds any state
#: at all, hence `starting` is reachable from everywhere; a repeated state (reason changed) is always allowed.
TRANSITIONS: dict[StreamState, frozenset[StreamState]] = {
    _S.STOPPED: frozenset({_S.STARTING}),
    _S.STARTING: frozenset({_S.RUNNING, _S.RECONNECTING, _S.STOPPING, _S.STOPPED, _S.FAILED}),
    _S.RUNNING: frozenset({_S.STARTING, _S.RECONNECTING, _S.STOPPING, _S.STOPPED, _S.FAILED}),
    _S.RECONNECTING: frozenset({_S.STARTING, _S.RUNNING, _S.STOPPING, _S.STOPPED, _S.FAILED}),
    _S.STOPPING: frozenset({_S.STOPPED, _S.STARTING, _S.FAILED}),
    _S.FAILED: frozenset({_S.STARTING, _S.RUNNING, _S.RECONNECTING, _S.STOPPING, _S.STOPPED}),
}


def can_follow(current: StreamState, following: StreamState) -> bool:
    """Whether `following` may be written over `current`."""
    return current == following or following in TRANSITIONS[current]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a stream is in its state: a code for programs, a message and a remedy for people."""

    code: str
    message: str
    remedy: str = ""


def _table(*rows: tuple[str, str, str]) -> dict[str, Reason]:
    return {code: Reason(code, message, remedy) for code, message, remedy in rows}


REASONS: dict[str, Reason] = _table(
    ("unauthorized", "the camera refused the user name or password", "edit the device and give the right credentials"),
    ("forbidden", "the camera does not allow this user to watch", "give the user viewing rights on the camera"),
    ("not_found", "the camera has no stream at this path", "check the path of the source URL"),
    ("refused", "nothing listens on the camera's port", "check the port, and that RTSP is switched on in the camera"),
    ("unreachable", "there is no network route to the camera", "check the address, cabling and network of the camera"),
    ("timed_out", "the camera did not answer in time", "check that the camera is switched on and reachable"),
    ("unknown_host", "the camera's host name cannot be resolved", "check the host name, or use an IP address"),
    ("closed_by_camera", "the camera closed the connection", "nothing to do: it is tried again"),
    ("camera_error", "the camera answers with an error of its own", "end other connections to it, or restart it"),
    ("no_video", "the source carries no video", "check the path, or switch the video stream on in the camera"),
    ("unsupported_codec", "the codec cannot be carried", "choose H.264 or H.265 in the camera"),
    ("stalled", "the camera sends no more video", "nothing to do: it is tried again"),
    ("resolution_changed", "the camera changed its picture format", "nothing to do: the stream starts anew"),
    ("invalid_data", "the camera sent data that cannot be read", "check the camera's stream with another player"),
    ("tls_failed", "the encrypted connection to the camera failed", "check the camera's certificate, or use rtsp"),
    ("address_not_allowed", "the source's address is not allowed", "use an address that the settings allow"),
    ("ffmpeg_missing", "the ffmpeg program cannot be started", "install ffmpeg, then run 'vas doctor'"),
    (
        "ffmpeg_killed",
        "the ffmpeg program was killed or crashed",
        "check the memory of this machine and its system log",
    ),
    ("port_in_use", "a local media port is taken", "nothing to do: other ports are tried"),
    ("output_failed", "an output plugin could not be attached", "see the log of the stream worker"),
    ("output_changed", "an output plugin asked for a new start", "nothing to do: the stream starts anew"),
    ("output_stalled", "an output plugin gets no more video", "nothing to do: the stream starts anew"),
    ("sfu_unreachable", "the WebRTC server does not answer", "check that the sfu process runs"),
    ("worker_stopped", "the stream worker was stopped", "nothing to do: another worker takes over"),
    ("takeover", "another worker took over", "nothing to do"),
    ("requested", "asked for by a person or program", ""),
    ("source_changed", "the device was changed", "nothing to do: the stream starts anew"),
    ("idle", "nobody is watching", "open the player: the stream starts by itself"),
    ("device_disabled", "the device is disabled", "enable the device"),
    ("device_deleted", "the device was deleted", ""),
    ("unknown", "the pipeline ended for a reason that is not known", "see the log of the stream worker"),
    (
        "no_picture",
        "there is no picture of this device now",
        "start the device, or take a picture of a recorded moment",
    ),
    ("picture_damaged", "the footage of this moment cannot be decoded", "choose a moment beside it"),
    # Why there is no footage, beside the reasons of the stream itself.
    ("recorder_restarted", "the recorder was restarted", "nothing to do: it goes on by itself"),
    ("recorder_away", "no record worker runs", "start the record process, or more of them"),
    ("disk_full", "the disk of the footage is full", "make room, or let retention delete earlier"),
    ("storage_unmounted", "the folder of the footage is not mounted", "mount it: recording goes on by itself"),
    ("storage_read_only", "the folder of the footage can only be read", "mount it for writing"),
    ("storage_failed", "the footage cannot be written", "check the disk, its rights and the log of the record worker"),
    ("bus_lost", "the media bus lost footage before it was written", "check Redis and the load of this machine"),
    ("file_missing", "a file of footage is gone", "check the disk; run 'vas storage check'"),
    ("file_damaged", "a file of footage was damaged", "check the disk; run 'vas storage check'"),
    (
        "too_many_missing",
        "most of the footage seems gone",
        "mount the right disk; only if it is really gone: 'vas storage repair --accept'",
    ),
    ("stopped_by_person", "recording was stopped by a person", "start it again, or let it follow its mode"),
    ("recording_off", "recording is switched off", "choose another recording mode"),
    ("not_recorded_yet", "nothing had been recorded before", ""),
    ("not_planned", "outside the weekly plan", "change the plan"),
    ("no_event", "nothing had happened", ""),
    ("stream_stopped", "the stream was stopped", "start the stream"),
    ("deleted_by_person", "the footage was deleted by a person", ""),
    ("retention", "the footage was older than it is kept, or had to make room", "keep more, or add disks"),
    ("clock_jumped", "the clock was set", "check the time synchronisation of this machine"),
    ("too_slow", "the recorder could not keep up", "start more record workers, or a faster disk"),
)


def reason_for(code: str, message: str | None = None) -> Reason:
    """The reason with this code, with a more exact `message` where there is one."""
    known = REASONS.get(code, REASONS["unknown"])
    return Reason(code, message or known.message, known.remedy)
