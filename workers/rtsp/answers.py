"""Which reason a camera's answer gives: the one table of RTSP statuses and methods."""

from gateway.states import reason_for
from workers.rtp.units import SourceError
from workers.rtsp.messages import Reply

PHRASES = {
    300: "Multiple Choices",
    301: "Moved Permanently",
    302: "Moved Temporarily",
    303: "See Other",
    305: "Use Proxy",
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    410: "Gone",
    413: "Request Entity Too Large",
    414: "Request-URI Too Large",
    415: "Unsupported Media Type",
    429: "Too Many Requests",
    451: "Parameter Not Understood",
    452: "Conference Not Found",
    453: "Not Enough Bandwidth",
    454: "Session Not Found",
    455: "Method Not Valid in This State",
    456: "Header Field Not Valid for Resource",
    457: "Invalid Range",
    459: "Aggregate Operation Not Allowed",
    460: "Only Aggregate Operation Allowed",
    461: "Unsupported Transport",
    462: "Destination Unreachable",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
    505: "RTSP Version Not Supported",
    551: "Option Not Supported",
}

#: The reason of a status, whatever was asked.
_BY_STATUS = {
    400: "request_refused",
    401: "unauthorized",
    402: "forbidden",
    403: "forbidden",
    404: "not_found",
    405: "request_refused",
    406: "request_refused",
    407: "login_unsupported",
    408: "timed_out",
    410: "not_found",
    415: "no_video",
    429: "too_many_connections",
    451: "request_refused",
    453: "too_many_connections",
    454: "session_lost",
    461: "transport_refused",
    462: "transport_refused",
    501: "request_refused",
    503: "too_many_connections",
    505: "request_refused",
    551: "option_refused",
}

#: Where the method makes a difference.
_BY_METHOD = {
    # Without a session there is none to be lost: the path leads nowhere.
    ("DESCRIBE", 454): "not_found",
    # The camera offers no description that we asked for, or no media of the kind that is set up.
    ("DESCRIBE", 406): "no_video",
}

#: Reasons whose sentence does not say which answer led to them.
_NAMES_ANSWER = frozenset({"request_refused", "option_refused", "camera_error", "transport_refused", "redirected"})


def reason_code(method: str, status: int) -> str:
    """The code of gateway.states.REASONS for a camera's answer to a request."""
    known = _BY_METHOD.get((method, status)) or _BY_STATUS.get(status)
    if known:
        return known
    return {3: "redirected", 4: "request_refused", 5: "camera_error"}.get(status // 100, "invalid_data")


def refusal(method: str, reply: Reply) -> SourceError:
    """The error that a camera's answer means."""
    code = reason_code(method, reply.status)
    phrase = PHRASES.get(reply.status) or reply.phrase
    answer = f"{reply.status} {phrase}".strip()
    if code in _NAMES_ANSWER:
        return SourceError(code, f"{reason_for(code).message}: {answer} to {method}")
    if code == "invalid_data":
        return SourceError(code, f"the camera answers {answer} to {method}, which means nothing in RTSP")
    return SourceError(code)
