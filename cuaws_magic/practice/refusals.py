"""How AWS says no: the same refusal in the XML of S3, of the query services and of EC2, and in JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from cuaws_magic.practice.server import Reply
from cuaws_magic.practice.sigv4 import Reason

if TYPE_CHECKING:
    from cuaws_magic.practice.server import Request

_S3 = Markup('<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{}</Code><Message>{}</Message>'
             "<RequestId>PRACTICE</RequestId></Error>")  # fmt: skip
_EC2 = Markup('<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors><Error><Code>{}</Code>'
              "<Message>{}</Message></Error></Errors><RequestID>practice</RequestID></Response>")  # fmt: skip
_QUERY = Markup("<ErrorResponse><Error><Type>Sender</Type><Code>{}</Code><Message>{}</Message></Error>"
                "<RequestId>practice</RequestId></ErrorResponse>")  # fmt: skip
_QUERY_SERVICES = frozenset({
    "autoscaling", "cloudformation", "elasticache", "elasticbeanstalk", "elasticloadbalancing", "iam",
    "monitoring", "rds", "redshift", "ses", "sns", "sts",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Words:
    status: int
    code: str
    message: str


_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
)
_INVALID = "The security token included in the request is invalid."
_EXPIRED = "The security token included in the request is expired"

_IN_S3 = {
    Reason.UNSIGNED: _Words(403, "AccessDenied", "Access Denied"),
    Reason.INCOMPLETE: _Words(400, "AuthorizationHeaderMalformed", "The authorization header is malformed."),
    Reason.UNKNOWN_KEY: _Words(
        403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."
    ),
    Reason.WRONG_SESSION_TOKEN: _Words(400, "InvalidToken", "The provided token is malformed or otherwise invalid."),
    Reason.EXPIRED: _Words(400, "ExpiredToken", "The provided token has expired."),
    Reason.SKEWED: _Words(
        403,
        "RequestTimeTooSkewed",
        "The difference between the request time and the current time is too large.",
    ),
    Reason.LINK_EXPIRED: _Words(403, "AccessDenied", "Request has expired"),
    Reason.BAD_SIGNATURE: _Words(403, "SignatureDoesNotMatch", _MISMATCH),
    Reason.BAD_PAYLOAD: _Words(
        400,
        "XAmzContentSHA256Mismatch",
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
    ),
    Reason.FOREIGN_BUCKET: _Words(403, "AccessDenied", "Access Denied"),
}
_IN_QUERY = {
    Reason.UNSIGNED: _Words(403, "MissingAuthenticationToken", "Request is missing Authentication Token"),
    Reason.INCOMPLETE: _Words(400, "IncompleteSignature", "The request signature is incomplete."),
    Reason.UNKNOWN_KEY: _Words(403, "InvalidClientTokenId", _INVALID),
    Reason.WRONG_SESSION_TOKEN: _Words(403, "InvalidClientTokenId", _INVALID),
    Reason.EXPIRED: _Words(403, "ExpiredToken", _EXPIRED),
    Reason.SKEWED: _Words(403, "SignatureDoesNotMatch", "Signature expired or not yet current."),
    Reason.LINK_EXPIRED: _Words(403, "SignatureDoesNotMatch", "Signature expired."),
    Reason.BAD_SIGNATURE: _Words(403, "SignatureDoesNotMatch", _MISMATCH),
    Reason.BAD_PAYLOAD: _Words(403, "SignatureDoesNotMatch", _MISMATCH),
}
# The names that the JSON services and EC2 use instead.
_JSON_NAMES = {
    "ExpiredToken": "ExpiredTokenException",
    "IncompleteSignature": "IncompleteSignatureException",
    "InvalidClientTokenId": "UnrecognizedClientException",
    "MissingAuthenticationToken": "MissingAuthenticationTokenException",
    "SignatureDoesNotMatch": "InvalidSignatureException",
}
_EC2_NAMES = {
    "ExpiredToken": "RequestExpired",
    "InvalidClientTokenId": "AuthFailure",
    "SignatureDoesNotMatch": "AuthFailure",
}
_FAILURES = {
    "500": ("InternalError", "InternalFailure", "We encountered an internal error. Please try again."),
    "503": ("ServiceUnavailable", "ServiceUnavailable", "The service is temporarily unavailable."),
    "429": ("SlowDown", "Throttling", "Rate exceeded"),
    "401": ("AccessDenied", "UnauthorizedAccess", "Not authorized"),
    "403": ("AccessDenied", "AccessDenied", "Access Denied"),
}


def refuse(reason: Reason, service: str, request: Request) -> Reply:
    """Answer a request that was not signed as it must be."""
    words = _IN_S3[reason] if service == "s3" else _IN_QUERY[reason]
    return _say(words, service, request)


def fail(kind: str, service: str, request: Request) -> Reply:
    """Answer a failure that the knobs ask for, by its status."""
    in_s3, elsewhere, message = _FAILURES[kind]
    return _say(_Words(int(kind), in_s3 if service == "s3" else elsewhere, message), service, request)


def _say(words: _Words, service: str, request: Request) -> Reply:
    if service == "s3":
        return _xml(_S3, words)
    if service == "ec2":
        return _xml(_EC2, _Words(words.status, _EC2_NAMES.get(words.code, words.code), words.message))
    if service in _QUERY_SERVICES and not request.header("X-Amz-Target"):
        return _xml(_QUERY, words)
    name = _JSON_NAMES.get(words.code, words.code)
    # The JSON services say 400 to what the others call 403; those with paths of their own do not.
    status = 400 if request.header("X-Amz-Target") and words.code in _JSON_NAMES else words.status
    body = json.dumps({"__type": f"com.amazon.coral.service#{name}", "message": words.message}).encode()
    headers = (("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-ErrorType", name))
    return Reply(status, body, headers, error=name)


def _xml(form: Markup, words: _Words) -> Reply:
    body = form.format(words.code, words.message).encode()
    return Reply(words.status, body, (("Content-Type", "text/xml"),), error=words.code)
