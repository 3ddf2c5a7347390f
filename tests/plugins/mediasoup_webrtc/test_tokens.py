"""Viewer tokens are for one device and a short time, signed with a key of this installation only."""

import time

import pytest
from joserfc import jwt
from joserfc.errors import BadSignatureError, ExpiredTokenError
from joserfc.jwk import OctKey

from plugins.mediasoup_webrtc.tokens import control_key, mint_viewer_token, viewer_key
from tests.factories import SFU_SECRET


def mint(**values):
    return mint_viewer_token(SFU_SECRET, **({"device_id": "d1", "tenant_id": "t1", "lifetime_seconds": 60} | values))


def decode(token: str, secret: str = SFU_SECRET):
    return jwt.decode(token, OctKey.import_key(viewer_key(secret)), algorithms=["HS256"])


def test_a_token_contains_one_device_and_its_lifetime():
    minted = mint(now=1_700_000_000.9)
    decoded = decode(minted.token)
    assert decoded.header["alg"] == "HS256"
    claims = decoded.claims
    assert (claims["iss"], claims["aud"], claims["device"], claims["tenant"]) == ("vas", "viewer", "d1", "t1")
    assert (claims["iat"], claims["exp"]) == (1_700_000_000, 1_700_000_060)
    assert minted.expires_at.timestamp() == 1_700_000_060
    assert minted.expires_at.utcoffset().total_seconds() == 0


def test_each_token_is_unique():
    assert decode(mint().token).claims["jti"] != decode(mint().token).claims["jti"]


def test_a_token_expires():
    registry = jwt.JWTClaimsRegistry(leeway=5)
    registry.validate(decode(mint().token).claims)
    with pytest.raises(ExpiredTokenError):
        registry.validate(decode(mint(now=time.time() - 70).token).claims)


@pytest.mark.parametrize("secret", ["another-secret-of-enough-length", SFU_SECRET + " "])
def test_a_token_is_not_valid_with_the_key_of_another_installation(secret):
    with pytest.raises(BadSignatureError):
        decode(mint().token, secret)


def test_both_keys_are_derived_as_in_the_sfu():
    # By openssl: printf 'vas control' | openssl dgst -sha256 -hmac 0123456789abcdef
    assert control_key("0123456789abcdef") == "35dd7e424288ab24d6eca1574bede0804eec535bdcf32e4c8b4006fec5b08ac2"
    assert viewer_key("0123456789abcdef") == "9c2df1829e47f7c3b3ff78e23ee472b6d4266333d735353a195a938992a3cf88"
    assert SFU_SECRET not in control_key(SFU_SECRET) + viewer_key(SFU_SECRET)


def test_a_token_is_not_shown_by_repr():
    minted = mint()
    assert minted.token not in repr(minted)
