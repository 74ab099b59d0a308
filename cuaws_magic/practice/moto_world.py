"""
The only door to moto, which plays STS, S3 and the rest of AWS inside this process.

moto's memory belongs to the process: it is emptied when the first portal starts and when the last one stops.
"""

from __future__ import annotations

import functools
import io
import os
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import unquote, unquote_to_bytes

import botocore.session
from botocore import handlers as botocore_handlers

from cuaws_magic.practice import people
from cuaws_magic.practice.server import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cuaws_magic.practice.server import Request

_TRUST_POLICY = '{"Version": "2012-10-17", "Statement": []}'


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """Credentials that the pretend AWS knows; without an end for the access keys of IAM users."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(repr=False)
    account_id: str
    expires_at: datetime | None


class MotoWorld:
    """The pretend AWS of one portal: it issues role credentials, knows them again and answers requests."""

    _lock: ClassVar[threading.RLock] = threading.RLock()
    _open: ClassVar[int] = 0

    def __init__(self, now: Callable[[], datetime]) -> None:
        """Take moto in; the first world of the process finds it empty."""
        self._now = now
        self._issued: dict[str, IssuedKey] = {}
        self._app = _import_moto()
        with MotoWorld._lock:
            if MotoWorld._open == 0:
                _forget_everything()
            MotoWorld._open += 1

    def close(self) -> None:
        """Leave; the last world of the process empties moto."""
        with MotoWorld._lock:
            MotoWorld._open -= 1
            if MotoWorld._open == 0:
                _forget_everything()

    def issue(self, account_id: str, role_name: str, lifetime: float) -> IssuedKey:
        """Make credentials for a permission set in an account, as the access portal does."""
        from moto.sts.models import sts_backends  # only a running portal pays for moto

        with MotoWorld._lock:
            assumed: Any = sts_backends[account_id]["aws"].assume_role(
                region_name=people.SSO_REGION,
                role_session_name=people.USER,
                role_arn=_iam_role_arn(account_id, role_name),
                policy=None,  # type: ignore[arg-type]  # moto's annotation forgets that there may be none
                duration=int(lifetime),
                external_id=None,  # type: ignore[arg-type]  # the same
            )
        # Whole seconds, as AWS answers.
        expires_at = self._now().replace(microsecond=0) + timedelta(seconds=lifetime)
        issued = IssuedKey(
            assumed.access_key_id, assumed.secret_access_key, assumed.session_token, account_id, expires_at
        )
        self._issued[issued.access_key_id] = issued
        return issued

    def find(self, access_key_id: str) -> IssuedKey | None:
        """Find credentials: those of the access portal, of AssumeRole, or of an IAM user."""
        if access_key_id in self._issued:
            return self._issued[access_key_id]
        from moto.iam.models import iam_backends  # as above
        from moto.sts.models import sts_backends  # as above

        for account_id, account in list(sts_backends.items()):
            for assumed in list(account["aws"].assumed_roles):
                if assumed.access_key_id == access_key_id:
                    expires_at = assumed.expiration.replace(tzinfo=timezone.utc)
                    secret, session_token = assumed.secret_access_key, assumed.session_token
                    return IssuedKey(access_key_id, secret, session_token, account_id, expires_at)
        for account_id, backends in list(iam_backends.items()):
            for user in list(backends["aws"].users.values()):
                for key in user.access_keys:
                    if key.access_key_id == access_key_id and key.status == "Active":
                        return IssuedKey(access_key_id, key.secret_access_key, None, account_id, None)
        return None

    def bucket_owner(self, bucket: str) -> str | None:
        """Tell which account a bucket belongs to."""
        from moto.s3.models import s3_backends  # as above

        found = s3_backends.bucket_accounts.get(bucket)
        return found[1] if found else None

    def answer(self, request: Request, issued: IssuedKey, credential_scope: str) -> Reply:
        """Let moto answer a request whose signature was found good."""
        status: list[str] = []
        headers: list[tuple[str, str]] = []

        def start_response(line: str, pairs: list[tuple[str, str]], _: object = None) -> Callable[[bytes], object]:
            status[:], headers[:] = [line], pairs
            return lambda _: None

        chunks: Iterable[bytes] = self._app(_environ(request, issued, credential_scope), start_response)
        try:
            body = b"".join(chunks)
        finally:
            close = getattr(chunks, "close", None)
            if close:
                close()
        kept = tuple((name, value) for name, value in headers if _is_ours_to_send(name, request.method))
        return Reply(int(status[0].split()[0]), body, kept)


def _import_moto() -> Any:  # moto's WSGI application is not typed
    before = list(botocore_handlers.BUILTIN_HANDLERS)
    from moto.core.base_backend import AccountSpecificBackend  # see `issue`
    from moto.moto_server import werkzeug_app  # the same

    # Importing moto hangs a hook into every later botocore client. It sleeps until mock_aws,
    # but botocore is not ours to change.
    if len(botocore_handlers.BUILTIN_HANDLERS) != len(before):
        botocore_handlers.BUILTIN_HANDLERS[:] = before
    # moto asks a boto3 session for region names; one that no AWS_PROFILE and no ~/.aws of the user can break.
    AccountSpecificBackend.get_session = _neutral_session  # type: ignore[method-assign]  # see above
    return werkzeug_app.DomainDispatcherApplication(werkzeug_app.create_backend_app)


@functools.cache
def _neutral_session() -> Any:  # boto3 is not typed
    import boto3  # moto has imported it by now

    nothing = (None, None, None, None)
    nowhere = (None, None, os.devnull, None)
    session_vars = {"profile": nothing, "config_file": nowhere, "credentials_file": nowhere}
    return boto3.Session(botocore_session=botocore.session.Session(session_vars=session_vars), region_name="us-west-2")


def _forget_everything() -> None:
    from moto.core.base_backend import BackendDict  # see `issue`
    from moto.core.model_instances import reset_model_data  # see `issue`

    BackendDict.reset()
    reset_model_data()


def _iam_role_arn(account_id: str, role_name: str) -> str:
    from moto.iam.models import iam_backends  # see `issue`

    iam = iam_backends[account_id]["aws"]
    name = people.iam_role_name(account_id, role_name)
    for role in iam.roles.values():
        if role.name == name:
            return str(role.arn)
    path = f"/aws-reserved/sso.amazonaws.com/{people.SSO_REGION}/"
    role = iam.create_role(name, _TRUST_POLICY, path, None, "", [], None)
    # moto draws a random id; a fixed one gives the same UserId every day, as AWS does.
    del iam.roles[role.id]
    role.id = people.iam_role_id(account_id, role_name)
    iam.roles[role.id] = role
    return str(role.arn)


def _environ(request: Request, issued: IssuedKey, credential_scope: str) -> dict[str, Any]:
    host, _, port = request.header("Host").rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(request.path).decode("latin-1"),  # as PEP 3333 wants it
        "QUERY_STRING": request.query,
        "RAW_URI": request.target,
        "REQUEST_URI": request.target,
        "SERVER_NAME": host or "127.0.0.1",
        "SERVER_PORT": port or "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    spellings: dict[str, str] = {}
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        if "_" in name:
            if not name.lower().startswith("x-amz-meta-"):
                continue
            spellings[f"HTTP_{key}"] = name
        environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    # The names that moto looks for: how a metadata key was really spelt, and whose request this is.
    environ["moto.preserved_header_names"] = spellings
    environ["HTTP_X_MOTO_ACCOUNT_ID"] = issued.account_id
    if "AWS4-HMAC-SHA256" not in environ.get("HTTP_AUTHORIZATION", ""):  # a presigned link; moto knows only headers
        environ["HTTP_AUTHORIZATION"] = (
            f"AWS4-HMAC-SHA256 Credential={credential_scope}, SignedHeaders=host, Signature=0"
        )
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    environ.pop("HTTP_CONTENT_LENGTH", None)
    environ["CONTENT_LENGTH"] = str(len(request.body))
    return environ


def _is_ours_to_send(name: str, method: str) -> bool:
    lowered = name.lower()
    if lowered == "content-length":
        return method == "HEAD"
    # Not moto's cross-origin permissions: no web page has business here.
    return lowered not in ("connection", "transfer-encoding", "date") and not lowered.startswith("access-control-")


def bucket_in(path: str) -> str:
    """Read the bucket from a path-style S3 address."""
    return unquote(path.lstrip("/").partition("/")[0])
