"""The errors of the domain: what a caller can catch, and what the API turns into its one JSON shape."""


class VasError(Exception):
    """Base of every error that VAS raises on purpose.

    `reason` is a stable word for programs (`lease_lost`), the message is for people.
    """

    reason = "error"

    def __init__(self, message: str, *, reason: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if reason is not None:
            self.reason = reason


class ConfigError(VasError):
    """A setting that cannot be used: names the setting and says what would be right."""

    reason = "invalid_setting"


class InvalidValue(VasError):
    """A value that a caller gave and that cannot be used."""

    reason = "invalid_value"

    def __init__(self, field: str, message: str, *, reason: str | None = None) -> None:
        super().__init__(message, reason=reason)
        self.field = field


class NotFound(VasError):
    """The thing named does not exist, or belongs to another tenant (which is the same to a caller)."""

    reason = "not_found"


class Conflict(VasError):
    """The request is right in itself but not in the present state."""

    reason = "conflict"


class VersionChanged(Conflict):
    """The resource's version differs from the one the caller has read."""

    reason = "version_changed"


class Unavailable(VasError):
    """A part that this request needs (database, Redis, a worker) does not answer now.

    `detail` (an address, a driver's own words) is for the log: `str()` has it, the message that callers see has not.
    """

    reason = "unavailable"

    def __init__(self, message: str, *, reason: str | None = None, detail: str = "") -> None:
        super().__init__(message, reason=reason)
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.message}: {self.detail}" if self.detail else self.message


class LeaseLost(VasError):
    """Another process owns the device now; the holder must stop at once and write nothing more."""

    reason = "lease_lost"


class PluginError(VasError):
    """A plugin failed where failing is allowed (`register_*`); the message names the plugin."""

    reason = "plugin_failed"


class BusUnavailable(Unavailable):
    """The media bus (Redis at `MEDIA_REDIS_URL`) does not answer; nothing is lost yet."""

    reason = "bus_unavailable"
