"""`use` of a profile that `aws login` made: its cache, its key and its sign-in service, as botocore knows them."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import threading
import time
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from doubles import RecordingShow

from cuaws_magic.errors import ConfigurationError, NoAccess, NoCredentials, ServiceFailure, Throttled, Unreachable

botocore_credentials = pytest.importorskip("botocore.credentials")
if not hasattr(botocore_credentials, "LoginProvider"):
    pytest.skip("this botocore does not know `aws login`", allow_module_level=True)

ID = "111111111111"
LOGIN_SESSION = f"arn:aws:iam::{ID}:user/ralphie"
CLIENT = "arn:aws:signin:::devtools/same-device"
CONFIG = f"[profile console]\nlogin_session = {LOGIN_SESSION}\nregion = us-east-2\n"


def unpadded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class SignInService:
    """
    The sign-in service's CreateOAuth2Token, for refreshing only.

    A refresh token is good for once, and only with a DPoP proof (RFC 9449) that is
    signed with the key that the sign-in was made with.

    Args:
        mint: Gives the next keys.
    """

    def __init__(self, mint):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.lifetime = 900
        self.denies: str | None = None
        self.fails = 0
        self.refresh_token = "refresh-0"
        self.given = 0
        self.refused = []
        self._turn = threading.Lock()
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with service._turn:
                    status, answer = service._answer(body, self.headers["DPoP"], self.path, mint)
                self.send_response(status)
                if status != 200:
                    kinds = {429: "TooManyRequestsError", 500: "InternalServerException"}
                    self.send_header("x-amzn-errortype", kinds.get(status, "AccessDeniedException"))
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def _answer(self, body, proof, path, mint):
        try:
            assert path == "/v1/token"
            self._check(proof)
            assert (body["clientId"], body["grantType"]) == (CLIENT, "refresh_token")
            assert body["refreshToken"] == self.refresh_token, "a refresh token that was used before"
        except AssertionError as error:
            self.refused.append(str(error))
            return 400, {"error": "INVALID_REQUEST", "message": str(error)}
        if self.fails:
            return self.fails, {"error": "server_error", "message": "trouble"}
        if self.denies:
            return 401, {"error": self.denies, "message": "denied"}
        self.given += 1
        self.refresh_token = f"refresh-{self.given}"
        keys = mint()
        return 200, {
            "accessToken": {name[0].lower() + name[1:]: keys[name] for name in ACCESS},
            "tokenType": "aws_sigv4",
            "expiresIn": self.lifetime,
            "refreshToken": self.refresh_token,
        }

    def _check(self, proof):
        head, claims, signature = proof.split(".")
        jwk = json.loads(unpadded(head))["jwk"]
        numbers = self.key.public_key().public_numbers()
        assert [int.from_bytes(unpadded(jwk[one]), "big") for one in "xy"] == [numbers.x, numbers.y], "another key"
        raw = unpadded(signature)
        der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        self.key.public_key().verify(der, f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
        assert json.loads(unpadded(claims))["htu"] == f"{self.url}/v1/token", "a proof for another address"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


ACCESS = ("AccessKeyId", "SecretAccessKey", "SessionToken")


@pytest.fixture
def mint(app, portal, home):
    """Keys of the console's user, new each time, that the pretend AWS knows."""
    first = json.loads(app.export(RecordingShow(), "awsucob0myaccount", "process").reveal())
    app.logout()
    sts = boto3.client(
        "sts",
        region_name="us-east-2",
        aws_access_key_id=first["AccessKeyId"],
        aws_secret_access_key=first["SecretAccessKey"],
        aws_session_token=first["SessionToken"],
    )
    role = f"arn:aws:iam::{ID}:role/Console"
    return lambda: sts.assume_role(RoleArn=role, RoleSessionName="ralphie")["Credentials"]


@pytest.fixture
def service(mint, monkeypatch):
    with SignInService(mint) as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SIGNIN", running.url)
        yield running


@pytest.fixture
def signed_in(home, service, mint):
    """What `aws login` leaves behind: a profile, and a sign-in in its cache that has some life left."""

    def write(left=timedelta(minutes=12), **more):
        (home / ".aws").mkdir(exist_ok=True)
        (home / ".aws" / "config").write_text(CONFIG)
        keys = mint()
        pem = service.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
        sign_in = {
            "accessToken": {
                **{name[0].lower() + name[1:]: keys[name] for name in ACCESS},
                "accountId": ID,
                "expiresAt": (datetime.now(timezone.utc) + left).strftime("%Y-%m-%dT%H:%M:%SZ"),
            },
            "tokenType": "aws_sigv4",
            "clientId": CLIENT,
            "refreshToken": service.refresh_token,
            "idToken": "id",
            "dpopKey": pem.decode(),
            **more,
        }
        folder = home / ".aws" / "login" / "cache"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{hashlib.sha256(LOGIN_SESSION.encode()).hexdigest()}.json"
        path.write_text(json.dumps(sign_in))
        return path, keys

    return write


# What works.


def test_a_sign_in_with_life_left(app, service, signed_in):
    """Its own keys are in use, confirmed and bound; nobody is asked for others."""
    _, keys = signed_in()

    used = app.use(RecordingShow(), "console")

    assert (used.account, used.role, used.region) == (ID, "Console", "us-east-2")
    assert used.signed_in_until is None
    assert "the profile console" in repr(used)
    assert "renewed automatically" in repr(used)
    assert os.environ["AWS_ACCESS_KEY_ID"] == keys["AccessKeyId"]
    assert boto3.client("sts").get_caller_identity()["Arn"] == f"arn:aws:sts::{ID}:assumed-role/Console/ralphie"
    assert service.given == 0


def test_a_sign_in_in_its_last_minutes_is_refreshed(app, service, signed_in):
    """By botocore, with the key's proof; the cache has the next refresh token, for the `aws` command too."""
    path, keys = signed_in(left=timedelta(minutes=2))

    app.use(RecordingShow(), "console")

    kept = json.loads(path.read_text())
    assert service.given == 1
    assert service.refused == []
    assert kept["refreshToken"] == "refresh-1"
    assert os.environ["AWS_ACCESS_KEY_ID"] == kept["accessToken"]["accessKeyId"] != keys["AccessKeyId"]


def test_it_is_renewed_and_clients_go_on(app, service, signed_in):
    """Credentials of 4 s: environment and client see others, each refresh token is used once, account and role stay."""
    signed_in(left=timedelta(seconds=4))
    service.lifetime = 4
    app.use(RecordingShow(), "console")
    client = boto3.client("sts")

    seen = set()
    ends = time.monotonic() + 8
    while time.monotonic() < ends:
        assert client.get_caller_identity()["Arn"].endswith(":assumed-role/Console/ralphie")
        seen.add(os.environ["AWS_ACCESS_KEY_ID"])
        time.sleep(0.2)

    assert len(seen) >= 3
    assert service.given >= 3
    assert service.refused == []


def test_a_client_stays_through_a_switch(app, service, signed_in):
    """Made with the console's profile, renewed after another account came into use."""
    signed_in(left=timedelta(seconds=4))
    service.lifetime = 4
    app.use(RecordingShow(), "console")
    client = boto3.client("sts")
    client.get_caller_identity()

    app.use(RecordingShow(), "awsucob0myotheraccount")
    given = service.given
    time.sleep(5)

    assert client.get_caller_identity()["Arn"] == f"arn:aws:sts::{ID}:assumed-role/Console/ralphie"
    assert boto3.client("sts").get_caller_identity()["Account"] == "222222222222"
    assert service.given > given


def test_a_cache_in_another_place(app, service, signed_in, home, monkeypatch, tmp_path):
    """`AWS_LOGIN_CACHE_DIRECTORY` holds here as for the `aws` command."""
    signed_in()
    (home / ".aws" / "login" / "cache").rename(tmp_path / "elsewhere")
    monkeypatch.setenv("AWS_LOGIN_CACHE_DIRECTORY", str(tmp_path / "elsewhere"))

    assert app.use(RecordingShow(), "console").account == ID


# What does not: one line, nothing changed.


def refused(app, error, match):
    before = dict(os.environ)

    with pytest.raises(error, match=match) as caught:
        app.use(RecordingShow(), "console")

    assert dict(os.environ) == before
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("denies", ["TOKEN_EXPIRED", "USER_CREDENTIALS_CHANGED"])
def test_a_sign_in_that_the_service_has_ended(app, service, signed_in, denies):
    """After 12 hours, or a new password: the command that signs in again."""
    signed_in(left=timedelta(minutes=-1))
    service.denies = denies

    refused(app, NoCredentials, "sign-in of the profile console has expired. Run `aws login --profile console`")


def test_a_user_who_may_not(app, service, signed_in):
    """Signing in again would not help: an administrator has to allow it."""
    signed_in(left=timedelta(minutes=-1))
    service.denies = "INSUFFICIENT_PERMISSIONS"

    refused(app, NoAccess, "administrator for the policy SignInLocalDevelopmentAccess")


@pytest.mark.parametrize(("status", "kind"), [(429, Throttled), (500, ServiceFailure)])
def test_a_service_in_trouble(app, service, signed_in, status, kind):
    """It is named, and what helps is to wait."""
    signed_in(left=timedelta(minutes=-1))
    service.fails = status

    refused(app, kind, "sign-in service of AWS .*Wait a minute, then run the cell again")


def test_a_service_that_cannot_be_reached(app, service, signed_in, monkeypatch):
    """No network: which service it was."""
    signed_in(left=timedelta(minutes=-1))
    monkeypatch.setenv("AWS_ENDPOINT_URL_SIGNIN", "http://127.0.0.1:1")

    refused(app, Unreachable, "The sign-in service of AWS cannot be reached")


def test_a_sign_in_that_ends_while_in_use(app, service, signed_in):
    """The keys in hand are used to their end; then the client's error says which command signs in again."""
    signed_in(left=timedelta(seconds=1))
    service.lifetime = 5
    app.use(RecordingShow(), "console")
    client = boto3.client("sts")
    service.denies = "TOKEN_EXPIRED"
    keys = os.environ["AWS_ACCESS_KEY_ID"]

    time.sleep(2)
    assert client.get_caller_identity()["Account"] == ID
    assert os.environ["AWS_ACCESS_KEY_ID"] == keys
    time.sleep(4)

    with pytest.raises(Exception, match="aws login --profile console"):
        client.get_caller_identity()


def test_a_role_on_top_of_it(app, service, signed_in, home):
    """The chain begins with the console's sign-in; what has ended is told of that one."""
    signed_in(left=timedelta(minutes=2))
    config = home / ".aws" / "config"
    config.write_text(
        CONFIG + "[profile above]\nrole_arn = arn:aws:iam::222222222222:role/Deploy\nsource_profile = console\n"
    )

    used = app.use(RecordingShow(), "above")
    app.release()

    assert (used.account, used.role) == ("222222222222", "Deploy")
    service.denies = "TOKEN_EXPIRED"
    signed_in(left=timedelta(minutes=-1))
    config.write_text(
        CONFIG + "[profile above]\nrole_arn = arn:aws:iam::222222222222:role/Deploy\nsource_profile = console\n"
    )
    with pytest.raises(NoCredentials, match="sign-in of the profile console has expired"):
        app.use(RecordingShow(), "above")


@pytest.mark.parametrize(
    "more",
    [{"dpopKey": "-----BEGIN EC PRIVATE KEY-----\nbm90IGEga2V5\n-----END EC PRIVATE KEY-----\n"}, {"dpopKey": None}],
    ids=["a key that is none", "no key"],
)
def test_a_sign_in_whose_key_is_broken(app, service, signed_in, more):
    """Such a sign-in cannot be refreshed: a new one."""
    signed_in(left=timedelta(minutes=2), **more)

    refused(app, NoCredentials, "aws login --profile console")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"accessToken": {}}', "\x00"])
def test_a_cache_that_is_broken(app, service, signed_in, text):
    """Whatever lies there, one line says which command puts it right."""
    path, _ = signed_in()
    path.write_text(text)

    refused(app, NoCredentials, "aws login --profile console")


def test_nobody_signed_in(app, service, signed_in):
    """A profile without its cache."""
    path, _ = signed_in()
    path.unlink()

    refused(app, NoCredentials, "aws login --profile console")


def test_a_machine_without_the_part(app, service, signed_in, monkeypatch):
    """botocore alone cannot do it: what to install."""
    signed_in()
    monkeypatch.setattr(botocore_credentials, "EC", None)

    refused(app, ConfigurationError, r'pip install "botocore\[crt\]"')
