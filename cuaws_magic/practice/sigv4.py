"""
Who signed this request? botocore's own signers, run backwards.

Verified are Signature Version 4 in the header and in presigned links, and the older Version 2 of presigned S3
links, which boto3 still makes by default.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from botocore.auth import SIGV4_TIMESTAMP, HmacV1QueryAuth, S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials

if TYPE_CHECKING:
    from collections.abc import Callable

    from cuaws_magic.practice.moto_world import IssuedKey
    from cuaws_magic.practice.server import Request

_SKEW, _SKEW_S3 = timedelta(minutes=5), timedelta(minutes=15)
_LONGEST_LINK = 7 * 24 * 3600  # s, as AWS allows
_ALGORITHM = "AWS4-HMAC-SHA256"
_HEX_DIGEST_LENGTH = 64


class Reason(Enum):
    """Why a request is refused."""

    UNSIGNED = auto()
    INCOMPLETE = auto()
    UNKNOWN_KEY = auto()
    WRONG_SESSION_TOKEN = auto()
    EXPIRED = auto()
    SKEWED = auto()
    LINK_EXPIRED = auto()
    BAD_SIGNATURE = auto()
    BAD_PAYLOAD = auto()
    FOREIGN_BUCKET = auto()


class Refused(Exception):  # an answer to the client, not an error of the program
    """The request is not to be answered; `reason` says why."""

    def __init__(self, reason: Reason) -> None:
        """Keep the reason."""
        super().__init__(reason.name)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request says of itself; nothing of it is verified."""

    access_key_id: str
    region: str = field(default="us-east-1")
    service: str = field(default="s3")
    date: str = field(default="")
    signed_headers: tuple[str, ...] = ()
    signature: str = field(repr=False, default="")
    timestamp: str = field(default="")
    session_token: str | None = field(repr=False, default=None)
    lifetime: int | None = None  # s, of a presigned link
    expires: int | None = None  # epoch seconds, of a presigned link of version 2

    @property
    def scope(self) -> str:
        """The credential as the Authorization header writes it."""
        return f"{self.access_key_id}/{self.date}/{self.region}/{self.service}/aws4_request"


def read_claim(request: Request) -> Claim:
    """Find out who the sender says to be; raises `Refused` when nothing can be read."""
    parameters = request.parameters()
    authorization = request.header("Authorization")
    try:
        if authorization.startswith(_ALGORITHM):
            parts = dict(part.strip().split("=", 1) for part in authorization[len(_ALGORITHM) :].split(","))
            timestamp = request.header("X-Amz-Date")
            if not timestamp:
                timestamp = parsedate_to_datetime(request.header("Date")).strftime(SIGV4_TIMESTAMP)
            session_token = request.header("X-Amz-Security-Token")
            return _claim(parts["Credential"], parts["SignedHeaders"], parts["Signature"], timestamp, session_token)
        if "X-Amz-Signature" in parameters:
            return _claim(
                parameters["X-Amz-Credential"],
                parameters["X-Amz-SignedHeaders"],
                parameters["X-Amz-Signature"],
                parameters["X-Amz-Date"],
                parameters.get("X-Amz-Security-Token", ""),
                int(parameters["X-Amz-Expires"]),
            )
        if "AWSAccessKeyId" in parameters and "Signature" in parameters:
            return Claim(
                access_key_id=parameters["AWSAccessKeyId"],
                signature=parameters["Signature"],
                session_token=parameters.get("x-amz-security-token") or None,
                expires=int(parameters["Expires"]),
            )
    except (KeyError, TypeError, ValueError):
        raise Refused(Reason.INCOMPLETE) from None
    raise Refused(Reason.INCOMPLETE if authorization else Reason.UNSIGNED)


def verify(request: Request, claim: Claim, find: Callable[[str], IssuedKey | None], now: datetime) -> IssuedKey:
    """Verify key, session token, time and signature together; raises `Refused`."""
    issued = find(claim.access_key_id)
    if issued is None:
        raise Refused(Reason.UNKNOWN_KEY)
    if claim.session_token != issued.session_token:
        raise Refused(Reason.WRONG_SESSION_TOKEN)
    if issued.expires_at is not None and now >= issued.expires_at:
        raise Refused(Reason.EXPIRED)
    _verify_time(claim, now)
    signature = _signature_v2(request, claim, issued) if claim.expires else _signature_v4(request, claim, issued)
    if not hmac.compare_digest(signature.encode(), claim.signature.encode()):
        raise Refused(Reason.BAD_SIGNATURE)
    digest = request.header("X-Amz-Content-SHA256")
    is_digest = len(digest) == _HEX_DIGEST_LENGTH
    if claim.lifetime is None and is_digest and digest != sha256(request.body).hexdigest():
        raise Refused(Reason.BAD_PAYLOAD)
    return issued


def _claim(  # the six words of a signature
    credential: str,
    signed_headers: str,
    signature: str,
    timestamp: str,
    session_token: str,
    lifetime: int | None = None,
) -> Claim:
    access_key_id, date, region, service, terminator = credential.split("/")
    signed = tuple(signed_headers.split(";"))
    if terminator != "aws4_request" or "host" not in signed or not timestamp.startswith(date):
        raise ValueError
    if lifetime is not None and not 0 < lifetime <= _LONGEST_LINK:
        raise ValueError
    _moment(timestamp)
    return Claim(access_key_id, region, service, date, signed, signature, timestamp, session_token or None, lifetime)


def _moment(timestamp: str) -> datetime:
    return datetime.strptime(timestamp, SIGV4_TIMESTAMP).replace(tzinfo=timezone.utc)


def _verify_time(claim: Claim, now: datetime) -> None:
    if claim.expires is not None:
        if now.timestamp() >= claim.expires:
            raise Refused(Reason.LINK_EXPIRED)
        return
    signed_at = _moment(claim.timestamp)
    skew = _SKEW_S3 if claim.service == "s3" else _SKEW
    if signed_at - now > skew or (claim.lifetime is None and now - signed_at > skew):
        raise Refused(Reason.SKEWED)
    if claim.lifetime is not None and now >= signed_at + timedelta(seconds=claim.lifetime):
        raise Refused(Reason.LINK_EXPIRED)


def _signature_v4(request: Request, claim: Claim, issued: IssuedKey) -> str:
    headers = HTTPHeaders()
    for name in claim.signed_headers:
        for value in request.headers.get_all(name, []):
            headers.add_header(name, value)
    if claim.lifetime is None and _unsigned_amz_headers(request, claim):
        raise Refused(Reason.BAD_SIGNATURE)
    pairs = [pair for pair in parse_qsl(request.query, keep_blank_values=True) if pair[0] != "X-Amz-Signature"]
    signed: Any = AWSRequest(
        method=request.method,
        url=f"http://{request.header('Host')}{request.path}",
        headers=headers,
        data=request.body,
    )
    # Decoded and encoded again, as AWS does: a client may send "+" and sign "%20".
    signed.params = pairs
    signed.context["timestamp"] = claim.timestamp
    if claim.service != "s3":
        signer_class: Any = _Signer
    else:
        signer_class = _SignerOfS3 if claim.lifetime is None else _SignerOfS3Links
    signer = signer_class(_credentials(issued), claim.service, claim.region)
    return str(signer.signature(signer.string_to_sign(signed, signer.canonical_request(signed)), signed))


def _unsigned_amz_headers(request: Request, claim: Claim) -> set[str]:
    # What decides about the request must be signed; user agents and retry counters need not be.
    return {name.lower() for name in request.headers if name.lower().startswith("x-amz-")} - set(claim.signed_headers)


def _signature_v2(request: Request, claim: Claim, issued: IssuedKey) -> str:
    headers = HTTPHeaders()
    for name, value in request.parameters().items():
        # A presigned link of this version carries the signed headers in its query.
        if name.lower().startswith("x-amz-") or name.lower() in ("content-md5", "content-type"):
            headers[name] = value
    signer = _SignerOfOldLinks(_credentials(issued), str(claim.expires))
    return str(signer.get_signature(request.method, urlsplit(request.target), headers))


def _credentials(issued: IssuedKey) -> Credentials:
    return Credentials(issued.access_key_id, issued.secret_access_key, issued.session_token)


class _AsSigned:
    def headers_to_sign(self, request: Any) -> Any:  # botocore's own, untyped
        return request.headers  # the client's choice, where the base class makes its own


class _Signer(_AsSigned, SigV4Auth):  # type: ignore[misc]  # botocore is untyped
    pass


class _SignerOfS3(_AsSigned, S3SigV4Auth):  # type: ignore[misc]  # the same
    pass


class _SignerOfS3Links(_AsSigned, S3SigV4QueryAuth):  # type: ignore[misc]  # the same
    pass


class _SignerOfOldLinks(HmacV1QueryAuth):  # type: ignore[misc]  # the same
    def _get_date(self) -> str:
        return str(self._expires)  # the end that the link names, instead of one from now
