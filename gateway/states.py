"""The states of a stream, the one table of transitions between them, and the reasons people read."""

from dataclasses import dataclass
from enum import StrEnum


class DesiredState(StrEnum):
    """The state that is asked for, written by the API and the clock process."""

    STOPPED = "stopped"
    RUNNING = "running"


class StreamState(StrEnum):
    """The observed state, written only by the owner of the stream."""

    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    RECONNECTING = "reconnecting"
    STOPPING = "stopping"
    FAILED = "failed"


_S = StreamState

#: The states that may follow each state. A worker that takes over after a crash may find any state,
#: hence `starting` is reachable from all of them; a repeated state (reason changed) is always allowed.
TRANSITIONS: dict[StreamState, frozenset[StreamState]] = {
    _S.STOPPED: frozenset({_S.STARTING}),
    _S.STARTING: frozenset({_S.RUNNING, _S.RECONNECTING, _S.STOPPING, _S.STOPPED, _S.FAILED}),
    _S.RUNNING: frozenset({_S.STARTING, _S.RECONNECTING, _S.STOPPING, _S.STOPPED, _S.FAILED}),
    _S.RECONNECTING: frozenset({_S.STARTING, _S.RUNNING, _S.STOPPING, _S.STOPPED, _S.FAILED}),
    _S.STOPPING: frozenset({_S.STOPPED, _S.STARTING, _S.FAILED}),
    _S.FAILED: frozenset({_S.STARTING, _S.RUNNING, _S.RECONNECTING, _S.STOPPING, _S.STOPPED}),
}


def can_follow(current: StreamState, following: StreamState) -> bool:
    """Whether `following` may replace `current`."""
    return current == following or following in TRANSITIONS[current]


@dataclass(frozen=True, slots=True)
class Reason:
    """The reason for a stream's state: a code for programs, a message and a remedy for people."""

    code: str
    message: str
    remedy: str = ""


def _table(*rows: tuple[str, str, str]) -> dict[str, Reason]:
    return {code: Reason(code, message, remedy) for code, message, remedy in rows}


REASONS: dict[str, Reason] = _table(
    ("unauthorized", "the camera refused the user name or password", "edit the device and enter the right credentials"),
    ("forbidden", "the camera does not allow this user to watch", "give the user viewing rights on the camera"),
    (
        "login_revoked",
        "the camera refuses the login that worked before",
        "close other connections to the camera, and check whether it locked or changed this user",
    ),
    (
        "login_paused",
        "the camera refused the user name or password three times: for ten minutes it is not tried again, because "
        "cameras lock whoever tries more often",
        "enter the right credentials, which are tried at once, or choose 'Try now' if the camera accepts these again",
    ),
    (
        "login_unsupported",
        "the camera asks for a kind of login that is not supported",
        "choose Digest with MD5 or SHA-256, or Basic, in the camera's RTSP settings",
    ),
    ("not_found", "the camera has no stream at this path", "check the path of the source URL"),
    ("refused", "nothing listens on the camera's port", "check the port, and that RTSP is switched on in the camera"),
    ("unreachable", "there is no network route to the camera", "check the address, cabling and network of the camera"),
    ("timed_out", "the camera did not answer in time", "check that the camera is switched on and reachable"),
    ("unknown_host", "the camera's host name cannot be resolved", "check the host name, or use an IP address"),
    ("closed_by_camera", "the camera closed the connection", "nothing to do: the connection is retried"),
    ("camera_error", "the camera answered with an internal error", "end other connections to it, or restart it"),
    (
        "too_many_connections",
        "the camera has too many connections",
        "close other viewers and recorders of this camera, or wait until it has ended old connections",
    ),
    (
        "request_refused",
        "the camera rejected a request",
        "check the path of the source URL with another player, and update the camera's firmware",
    ),
    (
        "option_refused",
        "the camera demands an extension of RTSP that is not supported",
        "check the RTSP settings of the camera, and update its firmware",
    ),
    ("session_lost", "the camera no longer knows the session", "nothing to do: the connection is retried"),
    (
        "transport_refused",
        "the camera sends neither by TCP nor by UDP",
        "switch on RTSP over TCP in the camera, and unicast instead of multicast",
    ),
    (
        "udp_blocked",
        "no packets of the camera arrive by UDP",
        "choose TCP as the transport, or let UDP of the camera pass the firewall",
    ),
    ("not_rtsp", "what answers at this port is no RTSP", "check the port: cameras mostly use 554 for RTSP"),
    (
        "waits_for_key_frame",
        "the stream waits for the camera's next key frame",
        "nothing to do: it runs with that frame; one every second or two, set in the camera, starts it sooner",
    ),
    (
        "no_key_frames",
        "the camera sends no key frames",
        "switch off intra refresh and 'smart codec' (H.264+, H.265+) in the camera, and set a key frame every one or "
        "two seconds",
    ),
    ("no_video", "the source carries no video", "check the path, or switch the video stream on in the camera"),
    ("unsupported_codec", "the codec is not supported", "choose H.264 or H.265 in the camera"),
    ("stalled", "the camera stopped sending video", "nothing to do: the connection is retried"),
    ("resolution_changed", "the camera changed its picture or sound format", "nothing to do: the stream goes on"),
    ("invalid_data", "the camera sent data that cannot be read", "check the camera's stream with another player"),
    ("tls_failed", "the encrypted connection to the camera failed", "check the camera's certificate, or use rtsp"),
    (
        "tls_untrusted",
        "the camera's certificate is not signed by a known authority",
        "trust this certificate by its fingerprint, or any certificate, in the device's settings",
    ),
    (
        "tls_expired",
        "the camera's certificate is not valid at this time",
        "renew the certificate in the camera, and check the clocks of the camera and of this machine",
    ),
    (
        "tls_wrong_name",
        "the camera's certificate is for another name",
        "use the host name of the certificate, or trust it by its fingerprint",
    ),
    (
        "tls_changed",
        "the camera shows another certificate than the trusted one",
        "if the camera's certificate was renewed, enter its new fingerprint; otherwise check what answers there",
    ),
    ("tls_not_spoken", "the camera does not speak TLS at this port", "use rtsp, or the camera's port for rtsps"),
    (
        "redirected",
        "the camera redirects to another address, which cannot be used",
        "enter the address at which the camera really sends",
    ),
    ("address_not_allowed", "the source's address is not allowed", "use an address that the settings allow"),
    (
        "source_failed",
        "the plugin that reads this source failed",
        "see the log of the stream worker, and update the plugin",
    ),
    (
        "source_unknown",
        "no plugin reads sources with this scheme",
        "install the plugin again, or enter an address with another scheme",
    ),
    (
        "wrong_secret_key",
        "the camera's address and password were encrypted with another SECRET_KEY",
        "put that key into SECRET_KEY or PREVIOUS_SECRET_KEYS, or edit the device and enter them again",
    ),
    ("ffmpeg_missing", "the ffmpeg program cannot be started", "install ffmpeg, then run 'vas doctor'"),
    (
        "ffmpeg_killed",
        "the ffmpeg program was killed or crashed",
        "check the memory of this machine and its system log",
    ),
    ("port_in_use", "a local media port is taken", "nothing to do: other ports are tried"),
    (
        "output_failed",
        "an output plugin could not be attached, or its ffmpeg process ended",
        "see the log of the stream worker",
    ),
    ("output_changed", "an output plugin asked to be attached again", "nothing to do: the stream goes on meanwhile"),
    ("options_changed", "the options of an output were changed", "nothing to do: the stream goes on meanwhile"),
    ("output_stalled", "an output plugin stopped receiving video", "nothing to do: it is attached again by itself"),
    ("sfu_unreachable", "the WebRTC server does not answer", "check that the sfu process runs"),
    ("worker_stopped", "the stream worker was stopped", "nothing to do: another worker takes over"),
    ("takeover", "another worker took over", "nothing to do"),
    ("requested", "requested by a person or program", ""),
    ("source_changed", "the device was changed", "nothing to do: the stream restarts by itself"),
    ("idle", "nobody is watching", "open the player: the stream starts by itself"),
    ("device_disabled", "the device is disabled", "enable the device"),
    ("device_deleted", "the device was deleted", ""),
    ("unknown", "the pipeline ended for an unknown reason", "see the log of the stream worker"),
    (
        "no_picture",
        "no picture of this device is available now",
        "start the device, or take a snapshot of a recorded moment",
    ),
    ("picture_damaged", "the footage of this moment cannot be decoded", "choose a nearby moment"),
    # Reasons for missing footage, in addition to those of the stream.
    ("recorder_restarted", "the recorder was restarted", "nothing to do: recording continues by itself"),
    ("recorder_away", "no record worker runs", "start the record process, or more of them"),
    (
        "recorder_busy",
        "all slots of the record workers are in use",
        "raise RECORD_SLOTS or start another record worker",
    ),
    (
        "recorder_starting",
        "a recorder is being attached",
        "nothing to do; if this lasts, check that the clock process and a record worker run",
    ),
    (
        "recorder_stalled",
        "no footage has been written for some seconds although the stream runs",
        "check Redis, the load of this machine and the log of the record worker",
    ),
    (
        "recorder_crashing",
        "the process that records this device crashes again and again",
        "see the log of the record workers, and remove the plugin that it names",
    ),
    (
        "stream_starting",
        "the stream is starting",
        "nothing to do; if this lasts, check that a stream worker has a free slot",
    ),
    ("disk_full", "the disk of the footage is full", "free space, or let retention delete footage earlier"),
    ("storage_unmounted", "the folder of the footage is not mounted", "mount it: recording continues by itself"),
    ("storage_read_only", "the folder of the footage is read-only", "mount it for writing"),
    (
        "storage_failed",
        "the footage cannot be written",
        "check the disk, its permissions and the log of the record worker",
    ),
    (
        "archive_unavailable",
        "the footage is in an archive that cannot be read now",
        "check the connection to the archive; playback continues by itself",
    ),
    (
        "not_archived",
        "the disk was full, and the footage was deleted before it had a copy in the archive",
        "check why the archive was behind, or add disks",
    ),
    (
        "archive_copy_gone",
        "the copy in the archive, which was the only one, is gone",
        "check who deletes objects of the archive, such as a lifecycle rule",
    ),
    ("bus_lost", "the media bus lost footage before it was written", "check Redis and the load of this machine"),
    ("file_missing", "a footage file is missing", "check the disk; run 'vas storage check'"),
    ("file_damaged", "a footage file is damaged", "check the disk; run 'vas storage check'"),
    (
        "too_many_missing",
        "most of the footage seems gone",
        "mount the right disk; only if it is really gone: 'vas storage repair --accept'",
    ),
    (
        "clock_doubted",
        "the clock may be wrong: footage is kept that is too old by it",
        "correct the clock of the record worker's machine; only if it is right: 'vas storage trust-clock'",
    ),
    ("stopped_by_person", "recording was stopped by a person", "start it again, or return to its mode"),
    ("recording_off", "recording is switched off", "choose another recording mode"),
    ("not_recorded_yet", "recording had not started yet", ""),
    ("not_planned", "outside the weekly plan", "change the plan"),
    ("no_event", "no event had occurred", ""),
    ("stream_stopped", "the stream was stopped", "start the stream"),
    ("deleted_by_person", "the footage was deleted by a person", ""),
    ("retention", "retention deleted the footage, by age or to free space", "keep footage longer, or add disks"),
    ("clock_jumped", "the system clock was changed", "check the time synchronisation of this machine"),
    ("too_slow", "the recorder could not keep up", "start more record workers, or use a faster disk"),
)


def reason_for(code: str, message: str | None = None) -> Reason:
    """The reason with this code, with a more specific `message` if given."""
    known = REASONS.get(code, REASONS["unknown"])
    return Reason(code, message or known.message, known.remedy)
