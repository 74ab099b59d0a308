"""The AWS CLI's own files: its names, its keys, its dates; botocore reads what we write and we what it writes."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass
from datetime import datetime, timezone

import botocore.session
import pytest
from botocore.utils import JSONFileCache, SSOTokenLoader
from doubles import HOUR, NOON, SCOPE, a_registration, an_sso_token, documented, role_credentials

from cuaws_magic.errors import StorageError
from cuaws_magic.model import Secret, SsoSession
from cuaws_magic.settings import CU_START_URL
from cuaws_magic.sso.session import CU_BOULDER
from cuaws_magic.sso.token_cache import TokenCache

LEGACY = SsoSession(None, CU_START_URL, "us-west-2", None)
WITHOUT_SCOPES = SsoSession("fedauth", CU_START_URL, "us-west-2", None)

# As the CLI writes it (contracts 2.1).
BY_THE_CLI = {
    "startUrl": CU_START_URL,
    "region": "us-west-2",
    "accessToken": "s3cret-cli",
    "expiresAt": "2026-03-02T20:00:00Z",
    "clientId": "client-id",
    "clientSecret": "s3cret-client",
    "registrationExpiresAt": "2026-05-31T12:00:00Z",
    "refreshToken": "s3cret-cli-refresh",
}


@pytest.fixture(name="cache")
def _cache(home):
    return TokenCache.default()


def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


# Names.


@dataclass(frozen=True)
class Name:
    documentation: str
    sso_session: SsoSession
    digest: str


@documented(
    [
        Name("by the sso-session's name", CU_BOULDER, "68fff89d877d206161aeff3f3b70f2647f88c7b6"),
        Name("by the start URL in the legacy form", LEGACY, "ba055fc583d85173677c69c2ee8496688d13358a"),
    ]
)
def test_the_name_of_a_token_file(case, cache, home):
    """The digests of `contracts.md` 2.1."""
    assert cache.token_path(case.sso_session) == home / ".aws" / "sso" / "cache" / f"{case.digest}.json"


@documented(
    [
        Name("the guide's", CU_BOULDER, "8860e4f20b34aa5c03f82927b099c37477698c0c"),
        Name("without scopes", WITHOUT_SCOPES, "5079dba8fc4572ca618a7c401986f842122e8cb8"),
        Name("legacy", LEGACY, "0b8d767bf4b48496a49d8c2e062c0d6caa95da5d"),
    ]
)
def test_the_name_of_a_registration_file(case, cache):
    """The digests of `contracts.md` 2.3."""
    assert cache.registration_path(case.sso_session) == cache.sso_folder / f"{case.digest}.json"


@documented(
    [
        Name("by name", CU_BOULDER, "f18522e68fb51d722d6e0a8d829346a199af29df"),
        Name("by start URL", LEGACY, "1a513d06ecb99cb78a583d42f5a898c677c146ad"),
    ]
)
def test_the_name_of_a_role_credentials_file(case, cache, home):
    """The digests of `contracts.md` 2.4."""
    path = cache.role_path(case.sso_session, "111111111111", "MyRole")

    assert path == home / ".aws" / "cli" / "cache" / f"{case.digest}.json"


@pytest.mark.parametrize("other", [f"{CU_START_URL}/", f"{CU_START_URL}#/"])
def test_start_urls_are_not_normalised(cache, other):
    """`/start`, `/start/` and `/start#/` are three files, as for the CLI."""
    assert cache.token_path(LEGACY) != cache.token_path(SsoSession(None, other, "us-west-2", None))


def test_the_folder_does_not_follow_the_config_file(home, monkeypatch):
    """`AWS_CONFIG_FILE` moves the config and not the cache."""
    monkeypatch.setenv("AWS_CONFIG_FILE", str(home / "elsewhere" / "config"))

    assert TokenCache.default().sso_folder == home / ".aws" / "sso" / "cache"


# SSO tokens.


def test_what_we_write(cache):
    """The CLI's keys and dates, one line of compact JSON, 0600."""
    cache.save(CU_BOULDER, an_sso_token(registration=a_registration(datetime(2026, 5, 31, 12, tzinfo=timezone.utc))))

    path = cache.token_path(CU_BOULDER)
    assert json.loads(path.read_text()) == {
        **BY_THE_CLI,
        "accessToken": "s3cret-sso",
        "refreshToken": "s3cret-refresh",
    }
    assert "\n" not in path.read_text()
    assert mode(path) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_token_without_refresh_token(cache):
    """Where there is no refresh token the key is absent, not null: others index it."""
    cache.save(LEGACY, an_sso_token(refresh_token=None, registration=None))

    assert set(json.loads(cache.token_path(LEGACY).read_text())) == {"startUrl", "region", "accessToken", "expiresAt"}


def test_botocore_reads_what_we_write(cache):
    """botocore's own loader finds our file by name and takes it."""
    cache.save(CU_BOULDER, an_sso_token())

    found = SSOTokenLoader(JSONFileCache(str(cache.sso_folder)))(CU_START_URL, session_name="fedauth")

    assert (found["accessToken"], found["refreshToken"]) == ("s3cret-sso", "s3cret-refresh")
    assert found["expiresAt"] == "2026-03-02T20:00:00Z"


def test_botocore_gives_our_token_to_its_clients(cache, home, monkeypatch):
    """botocore's token provider for a profile answers with ours, without asking anyone."""
    (home / ".aws").mkdir(exist_ok=True)
    (home / ".aws" / "config").write_text(
        "[profile p]\nsso_session = fedauth\n"
        f"[sso-session fedauth]\nsso_start_url = {CU_START_URL}\nsso_region = us-west-2\n"
    )
    # botocore computes its folder when it is imported.
    monkeypatch.setattr("botocore.tokens.SSOTokenProvider._SSO_TOKEN_CACHE_DIR", str(cache.sso_folder))
    cache.save(CU_BOULDER, an_sso_token(expires_at=datetime(2099, 1, 1, tzinfo=timezone.utc)))

    token = botocore.session.Session(profile="p").get_auth_token()

    assert token.get_frozen_token().token == "s3cret-sso"


def test_we_read_what_the_cli_writes(cache):
    """Every key of the CLI's file comes into the value, times aware and in UTC."""
    put(cache.token_path(CU_BOULDER), BY_THE_CLI)

    cached = cache.load(CU_BOULDER)

    assert cached.trouble is None
    assert cached.sso_token == an_sso_token(
        "s3cret-cli",
        refresh_token=Secret("s3cret-cli-refresh"),
        registration=a_registration(datetime(2026, 5, 31, 12, tzinfo=timezone.utc)),
    )


def test_we_read_what_botocore_writes(cache):
    """A file from botocore's own cache class, whose dates end in `UTC`, is read the same."""
    theirs = {**BY_THE_CLI, "expiresAt": NOON + 8 * HOUR}
    JSONFileCache(str(cache.sso_folder))[cache.token_path(CU_BOULDER).stem] = theirs

    assert "UTC" in cache.token_path(CU_BOULDER).read_text()
    assert cache.load(CU_BOULDER).sso_token.expires_at == NOON + 8 * HOUR


@pytest.mark.parametrize(
    "text",
    ["2026-03-02T20:00:00Z", "2026-03-02T20:00:00UTC", "2026-03-02T20:00:00+00:00", "2026-03-02T13:00:00-07:00"],
)
def test_dates(cache, text):
    """Whatever way a date says its zone, it is the same moment."""
    put(cache.token_path(CU_BOULDER), {**BY_THE_CLI, "expiresAt": text})

    expires_at = cache.load(CU_BOULDER).sso_token.expires_at

    assert expires_at == NOON + 8 * HOUR
    assert expires_at.tzinfo is timezone.utc


def test_only_two_keys_are_needed(cache):
    """A reader needs `accessToken` and `expiresAt`; the sign-in fills in the rest."""
    put(cache.token_path(LEGACY), {"accessToken": "a", "expiresAt": "2026-03-02T20:00:00Z"})

    sso_token = cache.load(LEGACY).sso_token

    assert (sso_token.start_url, sso_token.sso_region) == (CU_START_URL, "us-west-2")
    assert (sso_token.refresh_token, sso_token.registration) == (None, None)


@dataclass(frozen=True)
class Damage:
    documentation: str
    content: str


DAMAGES = [
    Damage("empty", ""),
    Damage("truncated", json.dumps(BY_THE_CLI)[:80]),
    Damage("not JSON", "s3cret"),
    Damage("a list", "[]"),
    Damage("null", "null"),
    Damage("an empty object", "{}"),
    Damage("another program's object", '{"cookies": []}'),
    Damage("without expiresAt", '{"accessToken": "s3cret"}'),
    Damage("a number for the secret", '{"accessToken": 1, "expiresAt": "2026-03-02T20:00:00Z"}'),
    Damage("an empty secret", '{"accessToken": "", "expiresAt": "2026-03-02T20:00:00Z"}'),
    Damage("a date that is none", '{"accessToken": "s3cret", "expiresAt": "tomorrow or so"}'),
    Damage("a date out of range", '{"accessToken": "s3cret", "expiresAt": "9999999999999999999999"}'),
    Damage("not UTF-8 in parts", '{"accessToken": "s3cret\udcff"}'),
]


@documented(DAMAGES)
def test_damage_is_no_token_and_says_so(case, cache):
    """What cannot be read is as good as absent, with a sentence that names the file and no content."""
    path = cache.token_path(CU_BOULDER)
    path.parent.mkdir(parents=True)
    path.write_bytes(case.content.encode(errors="surrogateescape"))

    cached = cache.load(CU_BOULDER)

    assert cached.sso_token is None
    assert cached.trouble == f"{path} is not a token file of the AWS CLI."


def test_a_file_that_cannot_be_read(cache):
    """A folder in the file's place is trouble with the system's reason."""
    cache.token_path(CU_BOULDER).mkdir(parents=True)

    assert cache.load(CU_BOULDER).trouble.endswith(".json cannot be read: is a directory.")


def test_nothing_is_no_trouble(cache):
    """Nobody signed in is not an error."""
    cached = cache.load(CU_BOULDER)

    assert (cached.sso_token, cached.trouble) == (None, None)


def test_what_cannot_be_written_is_kept_in_the_kernel(home, cache):
    """Without a writable home the sign-in holds in this kernel, and nowhere else."""
    (home / ".aws").write_text("a file in place of the folder")
    sso_token = an_sso_token()

    with pytest.raises(StorageError, match="Cannot write") as caught:
        cache.save(CU_BOULDER, sso_token)

    assert cache.load(CU_BOULDER).sso_token == sso_token
    assert TokenCache.default().load(CU_BOULDER).sso_token is None
    assert "s3cret" not in str(caught.value)


def test_what_was_kept_in_the_kernel_gives_way_to_a_newer_file(home, cache):
    """When another program signs in later, its file is the newer truth; an older file is not."""
    (home / ".aws").write_text("")
    with pytest.raises(StorageError):
        cache.save(CU_BOULDER, an_sso_token())
    (home / ".aws").unlink()

    put(cache.token_path(CU_BOULDER), {**BY_THE_CLI, "expiresAt": "2026-03-02T19:00:00Z"})
    with_older = cache.load(CU_BOULDER).sso_token
    put(cache.token_path(CU_BOULDER), {**BY_THE_CLI, "expiresAt": "2026-03-02T21:00:00Z"})
    with_newer = cache.load(CU_BOULDER).sso_token

    assert with_older.access_token.reveal() == "s3cret-sso"
    assert with_newer.access_token.reveal() == "s3cret-cli"


def test_forgetting(cache, home):
    """Forgetting deletes the file, or what the kernel kept, and says whether there was something."""
    cache.save(CU_BOULDER, an_sso_token())

    assert cache.forget(CU_BOULDER) is True
    assert cache.forget(CU_BOULDER) is False
    assert cache.load(CU_BOULDER).sso_token is None


def test_forgetting_what_the_kernel_kept(cache, home):
    """In a home that cannot be written a sign-in can still be forgotten."""
    (home / ".aws").write_text("")
    with pytest.raises(StorageError):
        cache.save(CU_BOULDER, an_sso_token())

    assert cache.forget(CU_BOULDER) is True
    assert cache.load(CU_BOULDER).sso_token is None


def test_all_tokens(cache):
    """Every file with an SSO token is found, as the CLI's logout finds them; a damaged one too, nothing else."""
    cache.save(CU_BOULDER, an_sso_token("one"))
    cache.save(LEGACY, an_sso_token("two"))
    cache.save_registration(CU_BOULDER, a_registration())
    for number, damage in enumerate(DAMAGES):
        (cache.sso_folder / f"damage-{number}.json").write_bytes(damage.content.encode(errors="surrogateescape"))

    found = dict(cache.all_tokens())

    whole = {cache.token_path(CU_BOULDER): "one", cache.token_path(LEGACY): "two"}
    damaged = {
        cache.sso_folder / f"damage-{n}.json" for n, one in enumerate(DAMAGES) if '{"accessToken"' in one.content
    }
    readable = damaged - {cache.sso_folder / f"damage-{len(DAMAGES) - 1}.json"}  # not UTF-8
    assert {path: sso_token.access_token.reveal() for path, sso_token in found.items() if path in whole} == whole
    assert set(found) == set(whole) | readable
    assert {found[path].sso_region for path in readable} == {None}  # nothing to send a logout with


# Client registrations.


def test_a_registration_is_written_for_the_device_flow(cache):
    """The CLI's keys, and no `grantTypes`: the CLI's own device flow takes it."""
    cache.save_registration(CU_BOULDER, a_registration(datetime(2026, 5, 31, 12, tzinfo=timezone.utc)))

    path = cache.registration_path(CU_BOULDER)
    assert json.loads(path.read_text()) == {
        "clientId": "client-id",
        "clientSecret": "s3cret-client",
        "expiresAt": "2026-05-31T12:00:00Z",
        "scopes": [SCOPE],
    }
    assert mode(path) == 0o600
    assert cache.load_registration(CU_BOULDER) == a_registration(datetime(2026, 5, 31, 12, tzinfo=timezone.utc))


def test_a_registration_without_scopes(cache):
    """Where no scopes are configured the file has none."""
    cache.save_registration(WITHOUT_SCOPES, a_registration())

    assert "scopes" not in json.loads(cache.registration_path(WITHOUT_SCOPES).read_text())


@pytest.mark.parametrize(
    "content",
    [
        {
            "clientId": "c",
            "clientSecret": "s",
            "expiresAt": "2026-05-31T12:00:00Z",
            "grantTypes": ["authorization_code"],
        },
        {"clientId": "c", "clientSecret": "s"},
        [],
        "not JSON",
    ],
    ids=["of the other flow", "without date", "list", "not JSON"],
)
def test_a_registration_that_is_not_ours_to_use(cache, content):
    """A registration of the authorization-code flow, or a damaged one, is as good as none."""
    put(cache.registration_path(CU_BOULDER), content)

    assert cache.load_registration(CU_BOULDER) is None


# Role credentials.


def test_role_credentials_as_the_cli_writes_them(cache):
    """The CLI's keys, `Z` dates, 0600; and what we write we read."""
    credentials = role_credentials()

    cache.save_role_credentials(CU_BOULDER, "MyRole", credentials)

    path = cache.role_path(CU_BOULDER, "111111111111", "MyRole")
    assert json.loads(path.read_text()) == {
        "ProviderType": "sso",
        "Credentials": {
            "AccessKeyId": "ASIAS3CRET1",
            "SecretAccessKey": "s3cret-key-1",
            "SessionToken": "s3cret-role-1",
            "Expiration": "2026-03-02T16:00:00Z",
            "AccountId": "111111111111",
        },
    }
    assert mode(path) == 0o600
    found = cache.load_role_credentials(CU_BOULDER, "111111111111", "MyRole")
    assert found.secret_access_key == credentials.secret_access_key
    assert found.expires_at == credentials.expires_at
    assert cache.load_role_credentials(CU_BOULDER, "111111111111", "Other") is None


@documented([*DAMAGES, Damage("another kind of object", '{"ProviderType": "sso", "Credentials": []}')])
def test_damaged_role_credentials_are_none(case, cache):
    """A set that cannot be read is fetched again, without a word."""
    path = cache.role_path(CU_BOULDER, "111111111111", "MyRole")
    path.parent.mkdir(parents=True)
    path.write_bytes(case.content.encode(errors="surrogateescape"))

    assert cache.load_role_credentials(CU_BOULDER, "111111111111", "MyRole") is None


def test_forgetting_role_credentials(cache):
    """One set can be forgotten without the others."""
    for account_id in ("111111111111", "222222222222"):
        cache.save_role_credentials(CU_BOULDER, "R", role_credentials(account_id))

    assert cache.forget_role_credentials(CU_BOULDER, "111111111111", "R") is True
    assert cache.forget_role_credentials(CU_BOULDER, "111111111111", "R") is False
    assert cache.load_role_credentials(CU_BOULDER, "222222222222", "R") is not None


def test_forgetting_all_role_credentials_leaves_other_peoples(cache):
    """Only sets that came from Identity Center are deleted: an assumed role's cache is not ours."""
    cache.save_role_credentials(CU_BOULDER, "R", role_credentials())
    put(cache.role_folder / "assumed.json", {"ProviderType": "assume-role", "Credentials": {}})

    count = cache.forget_all_role_credentials()

    assert count == 1
    assert [path.name for path in cache.role_folder.iterdir()] == ["assumed.json"]


# What was parsed is kept for as long as the file is as it was.


def test_a_token_file_is_parsed_again_only_when_it_changed(cache, monkeypatch):
    """Several looks of one command read it once; what another program writes is seen at once, whatever its date."""
    from cuaws_magic.sso import token_cache

    path = cache.token_path(CU_BOULDER)
    put(path, BY_THE_CLI)
    reads = []
    read = token_cache.read_object
    monkeypatch.setattr(token_cache, "read_object", lambda one: (reads.append(one), read(one))[1])

    first = cache.load(CU_BOULDER).sso_token
    assert cache.load(CU_BOULDER).sso_token == first
    assert len(reads) == 1
    assert cache.in_memory() == [first]

    before = path.stat()
    other = path.with_name("new")
    put(other, BY_THE_CLI | {"accessToken": "s3cret-new"})  # as long as the one before
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)
    assert cache.load(CU_BOULDER).sso_token.access_token == Secret("s3cret-new")

    path.unlink()
    assert cache.load(CU_BOULDER).sso_token is None
    assert cache.in_memory() == []

    put(path, BY_THE_CLI)
    cache.load(CU_BOULDER)
    cache.forget(CU_BOULDER)
    assert cache.in_memory() == []


def test_a_link_is_read_each_time(cache, tmp_path):
    """Its own date does not tell that its target changed."""
    target = tmp_path / "elsewhere.json"
    put(target, BY_THE_CLI)
    path = cache.token_path(CU_BOULDER)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
    assert cache.load(CU_BOULDER).sso_token.access_token == Secret("s3cret-cli")

    put(target, BY_THE_CLI | {"accessToken": "s3cret-new"})
    assert cache.load(CU_BOULDER).sso_token.access_token == Secret("s3cret-new")


def test_the_same_file_for_another_organisation(cache):
    """A section that was given another start URL does not get the token of the one before."""
    put(cache.token_path(CU_BOULDER), BY_THE_CLI)
    assert cache.load(CU_BOULDER).sso_token is not None

    moved = SsoSession("fedauth", "https://other.awsapps.com/start", "us-west-2", None)
    assert cache.load(moved).sso_token is None
    assert cache.load(CU_BOULDER).sso_token is not None


def test_tokens_of_other_names_go_with_their_files(cache):
    """Whoever signed in and out again: nothing of it is kept in memory, and a registration is no SSO token."""
    other = SsoSession("other", CU_BOULDER.start_url, CU_BOULDER.sso_region, None)
    put(cache.token_path(other), BY_THE_CLI)
    put(
        cache.sso_folder / "registration.json",
        {"clientId": "x", "clientSecret": "y", "expiresAt": "2026-01-01T00:00:00Z"},
    )

    found = cache.tokens()
    cache.token_path(other).unlink()

    assert [one.access_token for one in found] == [Secret(BY_THE_CLI["accessToken"])]
    assert cache.tokens() == []
    assert cache.in_memory() == []
