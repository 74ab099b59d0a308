"""The AWS side of the practice portal: signature first, then moto."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from cuaws_magic.practice import moto_world, refusals
from cuaws_magic.practice.server import Reply, Request
from cuaws_magic.practice.sigv4 import Claim, Reason, Refused, read_claim, verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cuaws_magic.practice.moto_world import MotoWorld

# moto's own back doors: its data and reset pages, and an instance's metadata.
_BACK_DOORS = ("/moto-api", "/latest/", "/favicon.ico")


def operation_of(request: Request) -> str:
    """Name a request: `sts:GetCallerIdentity` where that is cheap to know, else the service."""
    service = _service_of(request)
    if service == "s3":
        return service
    action = request.header("X-Amz-Target").rpartition(".")[2]
    if not action and request.header("Content-Type").startswith("application/x-www-form-urlencoded"):
        action = request.form().get("Action", "")
    action = action or request.parameters().get("Action", "")
    return f"{service}:{action}" if action else service


def answer(request: Request, world: MotoWorld, now: Callable[[], datetime]) -> Reply:
    """Verify the signature, then let moto answer."""
    if request.path.startswith(_BACK_DOORS):
        return Reply(HTTPStatus.NOT_FOUND, b"Not part of the practice portal.\n")
    service = _service_of(request)
    try:
        claim = read_claim(request)
        issued = verify(request, claim, world.find, now())
        if claim.service == "s3":
            owner = world.bucket_owner(moto_world.bucket_in(request.path))
            # moto lets every account into every bucket; AWS does not, unless a policy says so.
            if owner not in (None, issued.account_id):
                raise Refused(Reason.FOREIGN_BUCKET)  # noqa: TRY301 - answered below
    except Refused as refused:
        return refusals.refuse(refused.reason, service, request)
    try:
        return world.answer(request, issued, claim.scope)
    except Exception:  # noqa: BLE001 - moto's bugs are answers of the pretend AWS
        return refusals.fail("500", service, request)


def fail(kind: str, request: Request) -> Reply:
    """Answer a failure that the knobs ask for."""
    return refusals.fail(kind, _service_of(request), request)


def _service_of(request: Request) -> str:
    claim = _claim_or_none(request)
    if claim is not None:
        return claim.service
    # Not signed: an Action is a query service, nearly always STS; anything else would be an object in S3.
    return "sts" if "Action" in request.form() or "Action" in request.parameters() else "s3"


def _claim_or_none(request: Request) -> Claim | None:
    try:
        return read_claim(request)
    except Refused:
        return None
