"""Signature version 4, against the example of AWS's own documentation."""

from datetime import UTC, datetime

from plugins.s3_archiver.signing import Keys, sign_request

#: Amazon S3 API reference, "Signature Calculations for the Authorization Header", examples GET Bucket Lifecycle and
#: GET Bucket (List Objects).
KEYS = Keys("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
AT = datetime(2013, 5, 24, tzinfo=UTC)
URL = "https://examplebucket.s3.amazonaws.com/"


def signature(query: dict[str, str]) -> str:
    _, headers = sign_request("GET", URL, query, keys=KEYS, region="us-east-1", at=AT)
    return headers["authorization"].rpartition("Signature=")[2]


def test_the_examples_of_the_documentation():
    assert signature({"lifecycle": ""}) == "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
    assert signature({"max-keys": "2", "prefix": "J"}) == (
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
    )


def test_keys_and_tokens_are_not_shown():
    assert "wJalr" not in repr(KEYS)
    _, headers = sign_request("GET", URL, {}, keys=Keys("a", "b", "token"), region="us-east-1", at=AT)
    assert headers["x-amz-security-token"] == "token"
    assert "x-amz-security-token" in headers["authorization"]


def test_paths_and_queries_are_quoted_once():
    url, _ = sign_request("GET", "https://h/b/a b+c", {"prefix": "a/b c"}, keys=KEYS, region="us-east-1", at=AT)
    assert url == "https://h/b/a%20b%2Bc?prefix=a%2Fb%20c"
