"""The errors of the domain, which callers can catch and which the API turns into its one JSON shape."""


class VasError(Exception):
    """Base of all errors that VAS raises on purpose.

    `reason` is a stable code for programs (`lease_lost`), the message is for people.
    """

    reason = "error"
    message: str

    def __init__(self, message: str, *, reason: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if reason is not None:
            self.reason = reason


class ConfigError(VasError):
    """An invalid setting; the message names the setting and the accepted values."""

    reason = "invalid_setting"


class InvalidValue(VasError):
    """An invalid value from a caller."""

    reason = "invalid_value"
    field: str

    def __init__(self, field: str, message: str, *, reason: str | None = None) -> None:
        super().__init__(message, reason=reason)
        self.field = field


class NotFound(VasError):
    """The named object does not exist, or belongs to another tenant (which callers cannot distinguish)."""

    reason = "not_found"


class Conflict(VasError):
    """The request is valid but conflicts with the present state."""

    reason = "conflict"


class VersionChanged(Conflict):
    """The resource's version differs from the one the caller has read."""

    reason = "version_changed"


class Unavailable(VasError):
    """A component that this request needs (database, Redis, a worker) does not answer now.

    `detail` (an address, a driver's message) is for the log: `str()` includes it, the message that callers see does
    not.
    """

    reason = "unavailable"

    def __init__(self, message: str, *, reason: str | None = None, detail: str = "") -> None:
        super().__init__(message, reason=reason)
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.message}: {self.detail}" if self.detail else self.message


class LeaseLost(VasError):
    """Another process owns the device now; the previous owner must stop at once and write nothing."""

    reason = "lease_lost"


class JobFailed(VasError):
    """A job cannot be completed; `reason` is a code of gateway.jobs.model.JOB_ERRORS or gateway.states.REASONS."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message, reason=reason)


class PluginError(VasError):
    """A plugin failed where failing is allowed (`register_*`); the message names the plugin."""

    reason = "plugin_failed"


class BusUnavailable(Unavailable):
    """The media bus (Redis at `MEDIA_REDIS_URL`) does not answer; no media is lost yet."""

    reason = "bus_unavailable"
