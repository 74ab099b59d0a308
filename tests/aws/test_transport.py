"""How services are asked: nothing of it in logs and tracebacks, and an end to every listing."""

from __future__ import annotations

import json
import logging
import os
import threading

import boto3
import pytest
from doubles import RecordingShow

from cuaws_magic.aws.hosts import SsoRegion
from cuaws_magic.aws.transport import RateLimiter, Transport
from cuaws_magic.errors import ServiceFailure
from cuaws_magic.sso.token_cache import TokenCache

ACCOUNT = "111111111111/MyRole"
HERE = SsoRegion("us-west-2")


class Everything(logging.Handler):
    """Keeps what is logged, as text."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.lines = []

    def emit(self, record):
        self.lines.append(f"{record.name} {record.getMessage()} {record.exc_text or ''}")


@pytest.fixture
def logged():
    """As after `logging.basicConfig(level=logging.DEBUG)`."""
    root, handler = logging.getLogger(), Everything()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler.lines
    root.setLevel(level)
    root.removeHandler(handler)


def secrets_of(home):
    """Everything that must not be read: keys, and the secrets of each file in `~/.aws`."""
    found = {os.environ[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")}
    for path in (home / ".aws").rglob("*.json"):
        content = json.loads(path.read_text())
        content |= content.get("Credentials", {})
        names = ("accessToken", "refreshToken", "clientSecret", "SecretAccessKey", "SessionToken", "AccessKeyId")
        found |= {content[name] for name in names if name in content}
    return found


def test_what_we_ask_is_in_no_log(app, portal, home, logged):
    """Sign-in, refresh, use, confirmation, listing, logout, at the level DEBUG: not a secret of it."""
    app.login(RecordingShow())
    app.use(RecordingShow(), ACCOUNT)
    secret = secrets_of(home)
    path = TokenCache.default().token_path(app.choice.sso_session())
    path.write_text(json.dumps({**json.loads(path.read_text()), "expiresAt": "2020-01-01T00:00:00Z"}))
    app.accounts(RecordingShow(), refresh=True)
    app.credentials.renew()
    secret |= secrets_of(home)
    app.logout()

    assert len(secret) >= 9
    assert portal.count("CreateToken") == 2
    text = "\n".join(logged)
    assert [one[:6] for one in secret if one in text] == []


def test_a_profile_that_botocore_resolves_is_in_no_log(app, portal, home, logged, monkeypatch):
    """A role on top of a sign-in: botocore asks for us, and logs nothing of it either."""
    # botocore expands `~` when it is imported, which in a test run is a home before.
    monkeypatch.setattr("botocore.credentials.SSOProvider._SSO_TOKEN_CACHE_DIR", str(home / ".aws" / "sso" / "cache"))
    (home / ".aws").mkdir()
    (home / ".aws" / "config").write_text(
        "[profile base]\nsso_start_url = https://cuboulder.awsapps.com/start\nsso_region = us-west-2\n"
        "sso_account_id = 111111111111\nsso_role_name = MyRole\n"
        "[profile above]\nrole_arn = arn:aws:iam::222222222222:role/Deploy\nsource_profile = base\nregion = us-west-2\n"
    )
    app.use(RecordingShow(), "above")

    secret = secrets_of(home)
    text = "\n".join(logged)
    assert [one[:6] for one in secret if one in text] == []


def test_what_others_ask_is_logged_as_ever(app, portal, logged, monkeypatch):
    """A person's own client, and one of another thread while we ask by a client of botocore's."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "3")
    app.use(RecordingShow(), ACCOUNT)
    keys = app.credentials.current.credentials
    logged.clear()

    boto3.client("sts").get_caller_identity()
    own = len([line for line in logged if line.startswith("botocore.endpoint")])
    logged.clear()
    theirs = boto3.client("sts")
    other = threading.Thread(target=theirs.get_caller_identity)

    def in_between(**_):
        other.start()
        other.join()

    events = app.identity_center._questions._clients._anonymous_session(
        app.identity_center._questions._clients._route()
    )
    events.get_component("event_emitter").register("before-send.sts", in_between)
    app.identity_center.caller_identity(keys, "us-west-2")

    assert own >= 1
    assert len([line for line in logged if line.startswith("botocore.endpoint")]) == own


class Broken:
    """Clients that fail in an unforeseen way, with secrets all around."""

    def sts(self, credentials, region, profile=None):
        aws_secret_access_key = credentials.secret_access_key.reveal()
        raise OSError(24, "Too many open files") if aws_secret_access_key else RuntimeError

    def portal(self, region, **_):
        bearer = "s3cret-bearer"
        raise RuntimeError("unforeseen") if bearer else ValueError


def test_a_bug_keeps_its_error_and_not_the_frames_with_secrets(app):
    """IPython's verbose tracebacks print every variable of every frame."""
    keys = app_keys(app)
    questions = Transport(Broken(), RateLimiter(), lambda: keys.obtained_at)

    for ask in (
        lambda: questions.sts("GetCallerIdentity", keys, "us-west-2", lambda client: client, dict),
        lambda: questions.portal("ListAccounts", HERE, lambda client: client, dict),
    ):
        with pytest.raises(Exception, match=r"Too many open files|unforeseen") as caught:
            ask()

        said, error = [], caught.value
        while error is not None:
            frames = error.__traceback__
            while frames is not None:
                said.append(repr(frames.tb_frame.f_locals))
                frames = frames.tb_next
            error = error.__cause__ or error.__context__
        assert "s3cret" not in "".join(said)
        assert keys.secret_access_key.reveal() not in "".join(said)


def app_keys(app):
    app.use(RecordingShow(), ACCOUNT)
    return app.credentials.current.credentials


def test_a_listing_that_leads_back_to_an_earlier_page_ends(app):
    """A portal that repeats its page marker would be asked for ever."""
    asked = []

    class Client:
        def list_accounts(self, **more):
            asked.append(more)
            return {"accountList": [], "nextToken": "again"}

    class Clients:
        def portal(self, region, **_):
            return Client()

    keys = app_keys(app)
    questions = Transport(Clients(), RateLimiter(sleep=lambda _: None), lambda: keys.obtained_at)

    with pytest.raises(ServiceFailure, match="keeps sending the same page"):
        list(questions.pages("ListAccounts", "list_accounts", keys.access_key_id, {}, HERE, lambda _: []))

    assert len(asked) == 2
