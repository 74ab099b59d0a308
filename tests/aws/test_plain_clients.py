"""What a first `use` asks without botocore's clients: request by request, and error by error, what theirs are."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
from datetime import datetime, timezone
from urllib.parse import parse_qsl, urlsplit

import botocore.exceptions
import botocore.session
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from certificates import self_signed
from doubles import NOON, role_credentials

from cuaws_magic.aws import plain_clients
from cuaws_magic.aws.clients import BotoClients
from cuaws_magic.aws.plain_clients import Connections, endpoint, signed
from cuaws_magic.aws.service_errors import translate
from cuaws_magic.config.files import AwsFiles

REGION = "us-west-2"
BEARER = "s3cret-bearer"
QUESTIONS = {
    "GetRoleCredentials": lambda clients: clients.portal(REGION).get_role_credentials(
        accessToken=BEARER, accountId="111111111111", roleName="My Role+/é"
    ),
    "ListAccounts": lambda clients: clients.portal(REGION).list_accounts(accessToken=BEARER, maxResults=100),
    "ListAccounts, a further page": lambda clients: clients.portal(REGION).list_accounts(
        accessToken=BEARER, maxResults=100, nextToken="a/b=+ c"
    ),
    "ListAccountRoles": lambda clients: clients.portal(REGION).list_account_roles(
        accessToken=BEARER, maxResults=100, accountId="111111111111"
    ),
    "GetCallerIdentity": lambda clients: clients.sts(role_credentials(), REGION).get_caller_identity(),
}
IDENTITY = (
    b'<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    b"<Arn>arn:aws:sts::111111111111:assumed-role/MyRole/me</Arn><UserId>AROA:me</UserId>"
    b"<Account>111111111111</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
)
# Headers that tell who sends, how often and when, and what the connection is.
OF_THE_SENDER = {"user-agent", "amz-sdk-invocation-id", "amz-sdk-request", "authorization", "x-amz-date", "accept"}


class Recorder:
    """A server that keeps what it is sent, and answers with what it is told to."""

    def __init__(self):
        recorder = self
        self.requests, self.connections = [], 0
        self.answer, self.close = (200, {"Content-Type": "application/json"}, b"{}"), False

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                recorder.connections += 1

            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                recorder.requests.append((self.command, self.path, headers, body))
                status, more, content = recorder.answer
                if b"GetCallerIdentity" in body and status == 200 and content == b"{}":
                    more, content = {"Content-Type": "text/xml"}, IDENTITY
                self.send_response_only(status)
                for name, value in {**more, "Content-Length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)
                self.close_connection = recorder.close

            do_POST = do_GET  # noqa: N815 - http.server's name

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def recorder(monkeypatch):
    for name in (*plain_clients._CHANGES_THE_WAY, "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    with Recorder() as recorder:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SSO", recorder.url)
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", recorder.url)
        yield recorder


def clients(*, plain):
    return BotoClients(plain_profile=AwsFiles().plain if plain else lambda _: False)


def form(request):
    method, path, headers, body = request
    parts = urlsplit(path)
    told = {name: value for name, value in headers.items() if name not in OF_THE_SENDER}
    return method, parts.path, sorted(parse_qsl(parts.query, keep_blank_values=True)), told, body


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_same_request(recorder, question):
    """Method, path, query, headers and content are those of botocore's client; it is not asked to make one."""
    asked = {}
    for plain in (True, False):
        found = clients(plain=plain)
        QUESTIONS[question](found)
        assert bool(found._sessions) is not plain
        asked[plain] = form(recorder.requests[-1])

    assert asked[True] == asked[False]


def test_the_same_signature(recorder):
    """The signature is botocore's, for the same moment."""
    QUESTIONS["GetCallerIdentity"](clients(plain=False))
    _, _, headers, body = recorder.requests[-1]
    moment = datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)

    ours = signed(role_credentials(), REGION, recorder.url, body, moment)

    assert ours["Authorization"] == headers["authorization"]


def test_the_same_signature_of_keys_without_a_session_token():
    """The same for keys that have none, and at an address without a port."""
    from dataclasses import replace

    keys = replace(role_credentials(), session_token=None)
    ours = signed(keys, "eu-west-3", "https://sts.eu-west-3.amazonaws.com", b"a=1", NOON)
    request = AWSRequest(
        "POST",
        "https://sts.eu-west-3.amazonaws.com/",
        {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
        b"a=1",
    )
    request.context["timestamp"] = ours["X-Amz-Date"]
    request.headers["X-Amz-Date"] = ours["X-Amz-Date"]
    static = botocore.credentials.Credentials(keys.access_key_id.reveal(), keys.secret_access_key.reveal())
    auth = SigV4Auth(static, "sts", "eu-west-3")
    canonical = auth.canonical_request(request)

    signature = auth.signature(auth.string_to_sign(request, canonical), request)

    assert ours["Authorization"].endswith(f"Signature={signature}")


def test_addresses(monkeypatch):
    """In each region that is asked in the plain way, the addresses are botocore's; the others are left to it."""
    monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", "regional")  # the default of botocore from 1.40 on
    session = botocore.session.Session()
    plain = []
    for partition in session.get_available_partitions():
        for region in session.get_available_regions("sts", partition_name=partition):
            for service, variable, host in (("sso", "SSO", "portal.sso"), ("sts", "STS", "sts")):
                ours = endpoint(variable, host, region, plain_profile=lambda: True)
                if ours is not None:
                    plain.append(region)
                    client = session.create_client(
                        service, region, config=botocore.config.Config(signature_version=botocore.UNSIGNED)
                    )
                    assert ours == client.meta.endpoint_url

    assert {"us-west-2", "eu-central-1", "us-gov-west-1"} <= set(plain)
    assert not {region for region in plain if region.startswith(("cn-", "us-iso", "eusc-"))}


CONFIG = """
[default]
region = us-west-2
[profile plain]
sso_session = fedauth
sso_account_id = 111111111111
role_arn = arn:aws:iam::111111111111:role/x
output = json
[profile endpoint]
endpoint_url = http://127.0.0.1:9
[profile services]
services = mine
[services mine]
sts =
  endpoint_url = http://127.0.0.1:9
[profile proxies]
ca_bundle = /nowhere.pem
[profile retries]
retry_mode = adaptive
"""
WAYS = {
    "nothing set": ({}, None, True),
    "a profile that says nothing of clients": ({}, "plain", True),
    "an endpoint of a profile": ({}, "endpoint", False),
    "endpoints of a services section": ({}, "services", False),
    "certificates of a profile": ({}, "proxies", False),
    "retries of a profile": ({}, "retries", False),
    "a profile that is not there": ({}, "nowhere", False),
    "an endpoint for all services": ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, None, True),
    "an endpoint with a path": ({"AWS_ENDPOINT_URL_STS": "http://127.0.0.1:9/a"}, None, False),
    "an endpoint that is none": ({"AWS_ENDPOINT_URL_STS": "nonsense"}, None, False),
    "endpoints ignored": ({"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, None, False),
    "FIPS": ({"AWS_USE_FIPS_ENDPOINT": "true"}, None, False),
    "dual-stack": ({"AWS_USE_DUALSTACK_ENDPOINT": "true"}, None, False),
    "a proxy": ({"HTTPS_PROXY": "http://127.0.0.1:9"}, None, False),
    "a proxy, in small letters": ({"https_proxy": "http://127.0.0.1:9"}, None, False),
    "no proxy for some": ({"NO_PROXY": "example.org"}, None, True),
    "certificates that are there": ({"AWS_CA_BUNDLE": __file__}, None, True),
    "certificates that are not there": ({"AWS_CA_BUNDLE": "/nowhere.pem"}, None, False),
    "retries": ({"AWS_MAX_ATTEMPTS": "9"}, None, False),
    "a mode of retries": ({"AWS_RETRY_MODE": "adaptive"}, None, False),
    "defaults": ({"AWS_DEFAULTS_MODE": "in-region"}, None, False),
    "STS of each region": ({"AWS_STS_REGIONAL_ENDPOINTS": "regional"}, None, True),
    "one STS for all": ({"AWS_STS_REGIONAL_ENDPOINTS": "legacy"}, None, False),
}


@pytest.mark.parametrize("what", WAYS)
def test_when(home, monkeypatch, what):
    """The plain way is for the plain case alone; where a setting changes how AWS is reached, botocore decides."""
    variables, profile, plain = WAYS[what]
    for name in (*plain_clients._CHANGES_THE_WAY, "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    (home / ".aws").mkdir(exist_ok=True)
    (home / ".aws" / "config").write_text(CONFIG)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    sts = endpoint("STS", "sts", REGION, plain_profile=lambda: AwsFiles().plain(profile))

    assert (sts is not None) is plain
    if sts is not None and "AWS_ENDPOINT_URL" in variables:
        assert sts == variables["AWS_ENDPOINT_URL"]


def test_a_config_that_does_not_parse(home):
    """In doubt botocore decides: its error is the one to show."""
    (home / ".aws").mkdir(exist_ok=True)
    (home / ".aws" / "config").write_text("[default\n")

    assert AwsFiles().plain(None) is False


def test_other_operations_are_botocores(recorder):
    """What is not here, signing out say, goes by botocore's client."""
    found = clients(plain=True)

    found.portal(REGION).logout(accessToken=BEARER)

    assert recorder.requests[-1][:2] == ("POST", "/logout")
    assert found._sessions


def _json(code):
    return {"Content-Type": "application/json", "x-amzn-ErrorType": code}, json.dumps({"message": "no"}).encode()


def _xml(code):
    text = f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"
    return {"Content-Type": "text/xml", "Date": "Thu, 26 Nov 2026 12:00:00 GMT"}, text.encode()


REFUSALS = [
    ("GetRoleCredentials", 401, *_json("UnauthorizedException")),
    ("GetRoleCredentials", 403, *_json("ForbiddenException")),
    ("GetRoleCredentials", 404, *_json("ResourceNotFoundException")),
    ("GetRoleCredentials", 429, {**_json("TooManyRequestsException")[0], "Retry-After": "3"}, _json("x")[1]),
    ("GetRoleCredentials", 400, {"Content-Type": "application/json"}, b'{"__type": "InvalidRequestException"}'),
    ("GetRoleCredentials", 403, {"Content-Type": "text/html"}, b"<html>proxy.example says no</html>"),
    ("GetRoleCredentials", 500, {}, b""),
    ("GetRoleCredentials", 302, {"Location": "https://example.org"}, b""),
    ("GetRoleCredentials", 200, {"Content-Type": "text/html"}, b"<html>"),
    ("GetRoleCredentials", 200, {"Content-Type": "application/json"}, b"[1]"),
    ("ListAccounts", 503, {}, b"busy"),
    ("GetCallerIdentity", 403, *_xml("InvalidClientTokenId")),
    ("GetCallerIdentity", 403, *_xml("ExpiredToken")),
    ("GetCallerIdentity", 403, *_xml("SignatureDoesNotMatch")),
    ("GetCallerIdentity", 400, *_xml("Throttling")),
    ("GetCallerIdentity", 502, {"Content-Type": "text/html"}, b"<html>"),
    ("GetCallerIdentity", 200, {"Content-Type": "text/html"}, b"<html>"),
    ("GetCallerIdentity", 200, {"Content-Type": "text/xml"}, b"<a/>"),
]


@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: f"{case[0]}-{case[1]}-{case[3][:40]!r}")
def test_the_same_words_for_errors(recorder, case):
    """Whatever is answered, a person reads the same of it."""
    operation, *recorder.answer = case
    read = {
        "GetRoleCredentials": lambda answer: answer["roleCredentials"]["accessKeyId"],
        "ListAccounts": lambda answer: answer["accountList"],
        "GetCallerIdentity": lambda answer: answer["Account"],
    }
    said = []
    for plain in (True, False):
        with pytest.raises(Exception) as raised:  # noqa: PT011 - whatever it is, it is translated
            read[operation](QUESTIONS[operation](clients(plain=plain)))
        meant = translate(raised.value, operation, NOON)
        final = getattr(meant, "final", meant)
        said.append(
            (
                type(meant),
                type(final),
                str(final),
                getattr(meant, "throttled", None),
                getattr(meant, "retry_after", None),
            )
        )

    assert said[0] == said[1]


def test_one_connection(recorder):
    """Further requests use the connection that is open; one that the service has closed is made anew."""
    found = clients(plain=True)
    for _ in range(5):
        QUESTIONS["GetCallerIdentity"](found)
    assert recorder.connections == 1

    recorder.close = True
    QUESTIONS["GetCallerIdentity"](found)
    recorder.close = False
    QUESTIONS["GetCallerIdentity"](found)
    assert recorder.connections == 2

    found.after_fork()
    QUESTIONS["GetCallerIdentity"](found)
    assert recorder.connections == 3


def test_the_service_goes_away_between_requests(recorder):
    """A connection that broke off while it was idle does not fail the next request."""
    found, waiting = clients(plain=True), threading.Event()
    QUESTIONS["ListAccounts"](found)
    (idle,) = found._connections._idle.values()
    idle[0].sock.shutdown(socket.SHUT_RDWR)

    QUESTIONS["ListAccounts"](found)

    assert recorder.connections == 2
    assert not waiting.is_set()


def _closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def _answering(reply):
    """Listen, and do something with each connection."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    reply(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def _sent(origin):
    return Connections().send("GET", origin, "/x", {})


def test_nobody_there():
    """Nobody listens, or there is no such name: botocore's error, with the address."""
    for origin in (f"http://127.0.0.1:{_closed_port()}", "http://nowhere.invalid"):
        with pytest.raises(botocore.exceptions.EndpointConnectionError) as raised:
            _sent(origin)
        assert raised.value.kwargs["endpoint_url"] == f"{origin}/x"


def test_no_answer(monkeypatch):
    """No answer in time; a service that hangs up; nonsense."""
    monkeypatch.setattr(plain_clients, "READ_TIMEOUT", 0.2)
    kept = []
    with _answering(kept.append) as origin, pytest.raises(botocore.exceptions.ReadTimeoutError):
        _sent(origin)
    for connection in kept:
        connection.close()
    hang_up = _answering(lambda connection: connection.close())
    with hang_up as origin, pytest.raises(botocore.exceptions.ConnectionClosedError):
        _sent(origin)

    def nonsense(connection):
        connection.recv(65536)
        connection.sendall(b"SSH-2.0-OpenSSH\r\n\r\n")
        connection.close()

    with _answering(nonsense) as origin, pytest.raises(botocore.exceptions.ConnectionClosedError):
        _sent(origin)


def test_connecting_takes_too_long(monkeypatch):
    """A handshake that never comes is botocore's timeout of connecting."""
    monkeypatch.setattr(plain_clients, "CONNECT_TIMEOUT", 0.2)
    kept = []
    with _answering(kept.append) as origin, pytest.raises(botocore.exceptions.ConnectTimeoutError):
        _sent(origin.replace("http://", "https://"))
    for connection in kept:
        connection.close()


def test_tls(recorder, tmp_path, monkeypatch):
    """A certificate is trusted if the bundle has it, for its own name alone; else it is botocore's error."""
    certificate = self_signed(tmp_path / "server.pem", "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    recorder.server.socket = context.wrap_socket(recorder.server.socket, server_side=True)
    origin = f"https://localhost:{recorder.server.server_port}"

    with pytest.raises(botocore.exceptions.SSLError):
        _sent(origin)
    for variable in ("REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE"):
        monkeypatch.setenv(variable, str(certificate))
        assert _sent(origin)[0] == 200
        with pytest.raises(botocore.exceptions.SSLError):
            _sent(origin.replace("localhost", "127.0.0.1"))
        monkeypatch.delenv(variable)


def test_a_first_use_without_botocores_clients(app, portal, home):
    """A first `use` with a standing sign-in does not import `botocore.session`; a boto3 client works after it."""
    from doubles import RecordingShow

    app.login(RecordingShow())
    code = (
        "import sys, cuaws_magic; used = cuaws_magic.use('111111111111/MyRole');"
        "print('botocore.session' in sys.modules, 'urllib3' in sys.modules);"
        "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"
    )
    environ = {name: value for name, value in os.environ.items() if name not in {"AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"}}
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environ, timeout=60
    )

    assert ran.stdout.split() == ["False", "False", "111111111111"], ran.stderr


def test_nothing_secret_is_printed(recorder, monkeypatch, capsys):
    """`http.client` prints whole requests where somebody set its debug level; ours are not among them."""
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
    found = clients(plain=True)
    QUESTIONS["ListAccounts"](found)
    QUESTIONS["GetCallerIdentity"](found)

    assert capsys.readouterr().out == ""


def test_nothing_secret_in_what_is_raised(recorder):
    """Neither bearer nor keys are in an error, or in the names of the objects that ask."""
    recorder.answer = (401, *_json("UnauthorizedException"))
    found = clients(plain=True)
    with pytest.raises(botocore.exceptions.ClientError) as raised:
        QUESTIONS["ListAccounts"](found)
    asking = (found.portal(REGION), found.sts(role_credentials(), REGION), found._connections)
    shown = f"{raised.value!r} {raised.value} {raised.value.response} {asking!r}"

    assert BEARER not in shown
    assert role_credentials().secret_access_key.reveal() not in shown


# As whatever the chain finds: `whoami`.

_KEYS = "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n"
CHAINS = {
    "keys in the environment": ({"AWS_ACCESS_KEY_ID": "AKIA0", "AWS_SECRET_ACCESS_KEY": "x"}, "", ""),
    "temporary keys": (
        {"AWS_ACCESS_KEY_ID": "ASIA0", "AWS_SECRET_ACCESS_KEY": "x", "AWS_SESSION_TOKEN": "s3cret-t"},
        "",
        "",
    ),
    "a profile": ({"AWS_PROFILE": "mine"}, "[profile mine]\nregion = eu-west-1\n", f"[mine]\n{_KEYS}"),
    "the default profile": ({}, "[default]\nregion = eu-west-1\n", f"[default]\n{_KEYS}"),
    "a process": (
        {"AWS_PROFILE": "made"},
        """[profile made]\ncredential_process = echo '{"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "y"}'\n""",
        "",
    ),
    "a profile with settings": ({"AWS_PROFILE": "mine"}, "[profile mine]\nretry_mode = standard\n", f"[mine]\n{_KEYS}"),
    "a profile that is not there": ({"AWS_PROFILE": "gone"}, "", ""),
    "half of the keys": ({"AWS_ACCESS_KEY_ID": "AKIA0"}, "", ""),
    "a process that fails": ({"AWS_PROFILE": "bad"}, "[profile bad]\ncredential_process = false\n", ""),
    "nothing": ({}, "", ""),
}


@pytest.mark.parametrize("chain", CHAINS)
def test_as_whatever_the_chain_finds(recorder, home, monkeypatch, chain):
    """The same request with the same keys as botocore's client of a new session, or the same error."""
    variables, config, credentials = CHAINS[chain]
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    (home / ".aws").mkdir(exist_ok=True)
    (home / ".aws" / "config").write_text(config)
    (home / ".aws" / "credentials").write_text(credentials)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    said = []
    for plain in (True, False):
        recorder.requests.clear()
        try:
            answer = clients(plain=plain).sts(None, REGION).get_caller_identity()
        except botocore.exceptions.BotoCoreError as error:
            said.append((type(error), str(error)))
        else:
            ((*request, headers, _),) = recorder.requests
            scope = headers["authorization"].split("Credential=")[1].split(",")[0]
            said.append((answer["Account"], request, scope, headers.get("x-amz-security-token")))

    assert said[0] == said[1]


def test_whoami_keeps_its_connection(recorder, monkeypatch):
    """A warm kernel asks again over the connection that it has."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA0")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    ours = clients(plain=True)

    for _ in range(5):
        ours.sts(None, REGION).get_caller_identity()

    assert len(recorder.requests) == 5
    assert recorder.connections == 1
