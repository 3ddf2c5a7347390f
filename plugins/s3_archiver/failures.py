"""Why the object storage cannot be used: its answers and the errors of the connection, as reasons with remedies."""

import re
from dataclasses import dataclass

from gateway.plugin_api import ArchiveUnavailable


@dataclass(frozen=True, slots=True)
class Problem:
    """A kind of failure: code, message and remedy for people. `is_general`: it concerns every object alike."""

    code: str
    message: str
    remedy: str
    is_general: bool = True


_PROBLEMS = (
    Problem("s3_no_bucket", "no bucket is configured", "set the options of s3_archiver"),
    Problem("s3_unreachable", "nothing answers at the endpoint", "check 'endpoint', the network and the server"),
    Problem("s3_name_unknown", "the host name of the endpoint is not known", "check 'endpoint' and the name service"),
    Problem(
        "s3_certificate",
        "the certificate of the endpoint is not trusted",
        "give the certificate of its authority as 'ca_certificate', or use a certificate that matches the host name",
    ),
    Problem("s3_timeout", "the endpoint does not answer in time", "check the server, and the speed of the connection"),
    Problem(
        "s3_slow",
        "the storage takes data very slowly, or not at all",
        "check the server, and the speed of the connection; uploads are tried again by themselves",
    ),
    Problem(
        "s3_wrong_credentials",
        "the access key or the secret key is wrong",
        "enter both again; a key of another account or endpoint does not work",
    ),
    Problem("s3_credentials_expired", "the credentials have expired", "renew them, or use a role"),
    Problem(
        "s3_no_credentials",
        "there are no credentials: the environment and the role of the machine give none",
        "enter an access key, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the machine a role",
    ),
    Problem(
        "s3_access_denied",
        "the credentials do not permit this",
        "permit reading, writing, listing and deleting of objects in the bucket (see the README of s3_archiver)",
    ),
    Problem("s3_bucket_missing", "the bucket does not exist", "create it, or correct 'bucket'"),
    Problem(
        "s3_clock_skew",
        "the clock of this machine differs too much from the clock of the storage",
        "set the clock of this machine, best by NTP; the difference must be below 15 minutes",
    ),
    Problem("s3_wrong_region", "the bucket is in another region", "correct 'region' and 'endpoint'"),
    Problem("s3_full", "the storage is full, or its quota is used up", "make room there, or raise the quota"),
    Problem("s3_busy", "the storage is overloaded and asks to slow down", "nothing: uploads go on by themselves"),
    Problem("s3_failed", "the storage failed", "see the log of the storage; uploads go on by themselves"),
    Problem(
        "s3_encryption",
        "the storage cannot encrypt as asked",
        "check 'encryption' and 'kms_key', and that the credentials may use the key",
    ),
    Problem("s3_refused", "the storage refuses the request", "see the detail; check the options of the storage"),
    Problem("s3_client", "the client of the storage failed", "check 'endpoint', 'addressing' and 'ca_certificate'"),
    Problem(
        "s3_changed",
        "what the storage has differs from the file",
        "nothing if it happens once: the file is uploaded again; otherwise check storage, network and memory",
        is_general=False,
    ),
    Problem(
        "file_missing",
        "the file is missing on the disk",
        "nothing if it was deleted meanwhile; otherwise run 'vas storage check'",
        is_general=False,
    ),
    Problem(
        "file_unreadable", "the file cannot be read", "check the disk and the rights of its folder", is_general=False
    ),
    Problem(
        "file_differs",
        "the file has another size than its row says",
        "nothing: it is uploaded after reconciliation has mended it",
        is_general=False,
    ),
)
PROBLEMS = {problem.code: problem for problem in _PROBLEMS}

#: Error codes of S3 (Amazon S3 API reference, "Error responses") and of servers that speak its protocol.
_ANSWERS = {
    "SignatureDoesNotMatch": "s3_wrong_credentials",
    "InvalidAccessKeyId": "s3_wrong_credentials",
    "InvalidSecurity": "s3_wrong_credentials",
    "InvalidToken": "s3_credentials_expired",
    "ExpiredToken": "s3_credentials_expired",
    "AccessDenied": "s3_access_denied",
    "AllAccessDisabled": "s3_access_denied",
    "AccountProblem": "s3_access_denied",
    "NoSuchBucket": "s3_bucket_missing",
    "InvalidBucketName": "s3_bucket_missing",
    "RequestTimeTooSkewed": "s3_clock_skew",
    "RequestExpired": "s3_clock_skew",
    "PermanentRedirect": "s3_wrong_region",
    "AuthorizationHeaderMalformed": "s3_wrong_region",
    "IllegalLocationConstraintException": "s3_wrong_region",
    "QuotaExceeded": "s3_full",
    "XMinioStorageFull": "s3_full",
    "XMinioAdminBucketQuotaExceeded": "s3_full",
    "SlowDown": "s3_busy",
    "ServiceUnavailable": "s3_busy",
    "TooManyRequests": "s3_busy",
    "InternalError": "s3_failed",
    "BadDigest": "s3_changed",
    "XAmzContentSHA256Mismatch": "s3_changed",
    "XAmzContentChecksumMismatch": "s3_changed",
    "EntityTooSmall": "s3_changed",
    "NoSuchUpload": "s3_changed",
    "InvalidPart": "s3_changed",
    "InvalidRange": "s3_changed",
}
_STATUSES = {
    301: "s3_wrong_region",
    307: "s3_wrong_region",
    401: "s3_wrong_credentials",
    403: "s3_access_denied",
    408: "s3_timeout",
    429: "s3_busy",
    503: "s3_busy",
    504: "s3_timeout",
    507: "s3_full",
}
#: Words of the client's errors, in the order in which they are looked for.
_WORDS = (
    (
        re.compile(r"certificate|UnknownIssuer|CertNotValid|HandshakeFailure|tls handshake|InvalidContentType"),
        "s3_certificate",
    ),
    (re.compile(r"dns error|failed to lookup address|Name or service not known"), "s3_name_unknown"),
    (re.compile(r"BadScheme|scheme is not allowed"), "s3_client"),
    (re.compile(r"TimedOut|timed out|Timeout"), "s3_timeout"),
    (
        re.compile(r"kind: (Connect|Request|Interrupted|Decode)|ConnectionRefused|ConnectionReset|BrokenPipe"),
        "s3_unreachable",
    ),
)
#: Addresses and steps from which the client takes the credentials of a role.
_ROLE = re.compile(r"/latest/(api/token|meta-data)|//169\.254\.170\.2|AssumeRoleWithWebIdentity|CredentialProvider")
_CODE = re.compile(r"<Code>([A-Za-z0-9.]{1,80})</Code>")
_STATUS = re.compile(r"non-2xx status code: (\d{3})")
_MESSAGE = re.compile(r"<Message>([^<]{1,300})</Message>")


class StoreFailure(ArchiveUnavailable):
    """The storage could not do something. `problem` says why, `detail` is the storage's own words, for the log."""

    def __init__(self, code: str, detail: str = "") -> None:
        self.problem = PROBLEMS[code]
        super().__init__(self.problem.message, reason=code, detail=detail)

    @property
    def remedy(self) -> str:
        return self.problem.remedy

    @property
    def is_general(self) -> bool:
        """Whether it concerns every object, so that waiting is better than trying the next one."""
        return self.problem.is_general


def explain(error: BaseException) -> StoreFailure:
    """The failure that an exception of the client means."""
    if isinstance(error, StoreFailure):
        return error
    text = str(error)
    found = _CODE.search(text)
    status = _STATUS.search(text)
    answer = found.group(1) if found else ""
    return StoreFailure(_find_code(text, answer, int(status.group(1)) if status else 0), _cut(text, answer))


def is_missing(error: BaseException) -> bool:
    """Whether an error says that the object does not exist, and that its bucket does."""
    text = str(error)
    return isinstance(error, FileNotFoundError) and "<Code>NoSuchBucket</Code>" not in text


def _find_code(text: str, answer: str, status: int) -> str:
    if answer.startswith("KMS.") or "ServerSideEncryption" in answer:
        return "s3_encryption"
    if _ROLE.search(text):
        return "s3_no_credentials"
    if answer in _ANSWERS:
        return _ANSWERS[answer]
    if status in _STATUSES:
        return _STATUSES[status]
    if status:
        return "s3_failed" if status >= 500 else "s3_refused"
    return next((code for words, code in _WORDS if words.search(text)), "s3_failed")


def _cut(text: str, answer: str) -> str:
    """The storage's own words, without addresses, keys and signatures, which whole answers may contain."""
    message = _MESSAGE.search(text)
    if answer:
        return f"{answer}: {message.group(1)}" if message else answer
    status = _STATUS.search(text)
    return f"status {status.group(1)}" if status else ""
