"""Failures of the storage: each has its own reason and remedy, and no secret in it."""

import pytest

from plugins.s3_archiver.failures import PROBLEMS, StoreFailure, explain, is_missing


def answer(status: int, code: str, message: str = "words") -> str:
    body = f"<Error><Code>{code}</Code><Message>{message}</Message><AWSAccessKeyId>AKIA1</AWSAccessKeyId></Error>"
    return (
        f"Error performing PUT https://s3.example/b/k in 2ms - Server returned non-2xx status code: {status} X: {body}"
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (answer(403, "SignatureDoesNotMatch"), "s3_wrong_credentials"),
        (answer(403, "InvalidAccessKeyId"), "s3_wrong_credentials"),
        (answer(400, "ExpiredToken"), "s3_credentials_expired"),
        (answer(403, "AccessDenied"), "s3_access_denied"),
        (answer(404, "NoSuchBucket"), "s3_bucket_missing"),
        (answer(403, "RequestTimeTooSkewed"), "s3_clock_skew"),
        (answer(301, "PermanentRedirect"), "s3_wrong_region"),
        (answer(503, "SlowDown"), "s3_busy"),
        (answer(507, "XMinioStorageFull"), "s3_full"),
        (answer(400, "KMS.DisabledException"), "s3_encryption"),
        (answer(400, "BadDigest"), "s3_changed"),
        (answer(500, "InternalError"), "s3_failed"),
        (answer(400, "SomethingNew"), "s3_refused"),
        ("Server returned non-2xx status code: 403 Forbidden: ", "s3_access_denied"),
        (
            "Error performing PUT http://169.254.169.254/latest/api/token - non-2xx status code: 403",
            "s3_no_credentials",
        ),
        ('source: ConnectError("tcp connect error", Os { kind: ConnectionRefused })', "s3_unreachable"),
        ('kind: Connect, source: "dns error", failed to lookup address information', "s3_name_unknown"),
        ("kind: Connect, source: invalid peer certificate: UnknownIssuer", "s3_certificate"),
        ("kind: Timeout, source: reqwest::Error { source: TimedOut }", "s3_timeout"),
    ],
)
def test_each_failure_has_a_reason_of_its_own(text, reason):
    failure = explain(RuntimeError(text))
    assert failure.reason == reason
    assert failure.remedy
    assert "AKIA1" not in str(failure)
    assert "s3.example" not in str(failure)


def test_every_reason_says_what_is_wrong_and_what_to_do():
    for code, problem in PROBLEMS.items():
        assert code == problem.code
        assert problem.message[0].islower()
        assert not problem.message.endswith(".")
        assert problem.remedy


def test_a_missing_bucket_is_no_missing_object():
    assert is_missing(FileNotFoundError("Object at location k not found: <Code>NoSuchKey</Code>"))
    assert not is_missing(FileNotFoundError("Object at location k not found: <Code>NoSuchBucket</Code>"))


def test_failures_of_one_file_are_told_from_those_of_the_storage():
    assert StoreFailure("s3_unreachable").is_general
    assert not StoreFailure("file_missing").is_general
    assert not StoreFailure("s3_changed").is_general
