"""`configure` and `forget` on real files: what the page shows, what is written, and who reads it."""

from __future__ import annotations

import dataclasses
import json
import os
import random
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import botocore.session
import pytest
from aws_commands import COMMANDS, FETCHED, newest_version_2, run
from doubles import RecordingShow, role_credentials

import cuaws_magic as cuaws
from cuaws_magic import storage
from cuaws_magic.commands import configure as commands
from cuaws_magic.commands.names import Names
from cuaws_magic.config.edits import Drop, Put
from cuaws_magic.config.files import AwsFiles, ConfigWriter
from cuaws_magic.credentials.in_use import InUseRole
from cuaws_magic.credentials.sources import ProfileSource, StaticSource
from cuaws_magic.errors import ConfigFileError, ConfigurationError, StorageError, UnknownTarget
from cuaws_magic.ipython.grammar import Grammar
from cuaws_magic.model import Account, Origin, Secret, SsoSession, utc_now
from cuaws_magic.practice import Knobs
from cuaws_magic.settings import Settings
from cuaws_magic.sso.accounts import Listing
from cuaws_magic.sso.session import CU_BOULDER
from cuaws_magic.state_store import StateStore
from cuaws_magic.views.profiles import Configured, ProposedChange

EDITS = Path(__file__).parents[1] / "config" / "edits"
SESSION = """\
[sso-session fedauth]
sso_start_url = https://cuboulder.awsapps.com/start
sso_region = us-west-2
sso_registration_scopes = sso:account:access
"""
MINE = """\
# Ralphie's settings. Keep!
[default]
region = us-east-1 # not a comment
[profile  'lab' ]
s3 =
  addressing_style = path

  # why not
  region = nested
aws_access_key_id = AKIAS3CRET
#aws_secret_access_key = S3CRET
"""
KEYS = """\
# saved by hand
[default]
aws_access_key_id=AKIAS3CRET
aws_secret_access_key=S3CRET

[111111111111_MyRole]
aws_access_key_id=ASIAS3CRET
aws_secret_access_key=S3CRET
aws_session_token=S3CRET

[lab keys]
aws_access_key_id=AKIAS3CRET
"""


def profile(name, account_id="111111111111", role_name="MyRole"):
    return (
        f"\n[profile {name}]\nsso_session = fedauth\nsso_account_id = {account_id}\n"
        f"sso_role_name = {role_name}\nregion = us-west-2\noutput = json\n"
    )


class ListedDirectory:
    """A portal's answers, without a portal: name → id and roles."""

    def __init__(self, **accounts):
        self.accounts_there = accounts

    def accounts(self, sso_session, *, refresh):
        assert refresh
        found = tuple(Account(account_id, name) for name, (account_id, *_) in self.accounts_there.items())
        return Listing(found, {}, utc_now())

    def roles(self, sso_session, account_ids, *, refresh, progress):
        assert refresh
        found = {account_id: tuple(roles) for account_id, *roles in self.accounts_there.values()}
        return {account_id: found[account_id] for account_id in account_ids}


class OpenDesk:
    """Somebody is signed in."""

    def retry_after_sign_in(self, question, show):
        return question()


def context(state_store, accounts, sso_session=CU_BOULDER, in_use=None):
    """What the two commands take of a kernel's context."""
    return SimpleNamespace(
        aws_files=AwsFiles(os.environ),
        accounts=accounts,
        approvals=OpenDesk(),
        state_store=state_store,
        choice=SimpleNamespace(sso_session=lambda: sso_session),
        organisations=SimpleNamespace(several=lambda: False),
        settings=Settings(region="us-west-2"),
        credentials=SimpleNamespace(current=in_use),
    )


def configure(home, pattern=None, *, show=None, sso_session=CU_BOULDER, dry_run=False, prune=False, **accounts):
    return commands.configure(
        context(StateStore(home / "state"), ListedDirectory(**accounts), sso_session),
        show or RecordingShow(),
        pattern,
        dry_run=dry_run,
        prune=prune,
    )


def forget(home, name, in_use=None):
    return commands.forget(context(StateStore(home / "state"), ListedDirectory(), in_use=in_use), name)


ACC = {"acc": ("111111111111", "MyRole")}


@pytest.fixture(name="config")
def _config(home):
    path = home / ".aws" / "config"
    path.parent.mkdir()
    return path


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def read_by_botocore(path, credentials=os.devnull):
    session = botocore.session.Session()
    session.set_config_variable("config_file", str(path))
    session.set_config_variable("credentials_file", str(credentials))
    return session.full_config


# At the practice portal.


@pytest.fixture(name="show")
def _show():
    return RecordingShow()


def test_from_nothing_to_the_guides_file(app, home, show):
    """Without any file: the sign-in, and a profile for each account and role, as the guide writes them; 0600."""
    done = app.configure(show, "awsucob0my*")

    path = home / ".aws" / "config"
    assert path.read_text() == SESSION + profile("awsucob0myaccount") + profile(
        "awsucob0myotheraccount", "222222222222", "MyOtherRole"
    )
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)
    assert (done.written, done.added) == (True, ("awsucob0myaccount", "awsucob0myotheraccount"))


def test_all_accounts(app, home, show):
    """Without a pattern: every account, with account-Role where there are several."""
    done = app.configure(show)

    assert done.added == (
        "awsucob0myaccount",
        "awsucob0myotheraccount",
        "awsucob0production-Admin",
        "awsucob0production-ReadOnly",
        "research-climate-dev-DataSteward",
        "research-climate-dev-Researcher",
        "research-genomics",
    )
    profiles = read_by_botocore(home / ".aws" / "config")["profiles"]
    assert {name: one["sso_account_id"] for name, one in profiles.items()}["research-climate-dev-Researcher"] == (
        "044444444444"
    )


def test_again_has_nothing_to_do(app, home, show):
    """A second run leaves the file alone, shows no difference and says what is there."""
    app.configure(show)
    path = home / ".aws" / "config"
    before = path.stat()

    again = app.configure(RecordingShow(), "awsucob0myaccount")

    assert (again.written, again.added, again.kept) == (False, (), ("awsucob0myaccount",))
    assert repr(again).startswith("Nothing to change")
    assert path.stat() == before


def test_the_aws_command_and_botocore_use_what_was_written(app, home, show):
    """Signed in here, the real `aws` of PyPI and a boto3 session work with each profile."""
    app.configure(show, "awsucob0*")

    for name, account in (("awsucob0myaccount", "111111111111"), ("awsucob0production-ReadOnly", "333333333333")):
        code = (
            f"import boto3; print(boto3.Session(profile_name='{name}').client('sts').get_caller_identity()['Account'])"
        )
        assert run(sys.executable, "-c", code) == (0, account, "")
        said = run(COMMANDS[0].path, "sts", "get-caller-identity", "--profile", name, "--query", "Account")
        assert said == (0, f'"{account}"', "")


def test_version_2_of_the_aws_command_reads_what_was_written(config, home):
    """The CLI v2 lists the profiles and finds their settings, also under names with spaces and quotes."""
    config.write_text(MINE)
    accounts = {"my account": ("222222222222", "R"), "ralphie's": ("044444444444", "R"), "Göttingen": ("3" * 12, "R")}
    configure(home, **ACC, **accounts)
    aws = newest_version_2().path

    assert run(aws, "configure", "list-profiles")[1].splitlines() == ["default", "lab", "acc", *accounts]
    for name, (account_id, _) in accounts.items():
        assert run(aws, "configure", "get", "sso_account_id", "--profile", name) == (0, account_id, "")
    assert run(aws, "configure", "get", "sso_region", "--profile", "acc")[2] == ""


# Runs in the Python of an `aws`: its names and values of each file. Only v2 has the command that lists them.
THE_COMMANDS_READING = """\
import contextlib, io, json, os, sys
import awscli
from awscli.clidriver import create_clidriver
found = {}
for path, variable in json.load(sys.stdin):
    os.environ.update(AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull)
    os.environ[variable] = path
    driver = create_clidriver()
    listed = driver.session.available_profiles
    if awscli.__version__.startswith("2."):
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            assert driver.main(["configure", "list-profiles"]) == 0
        listed = printed.getvalue().splitlines()
    config = driver.session.full_config
    found[path] = [listed, config["profiles"], config.get("sso_sessions")]
json.dump(found, sys.stdout)
"""


def plain_python_version_2():
    """Return where the modules of the CLI v2 are, which Debian's is and the bundle of AWS is not."""
    aws = newest_version_2()
    if aws.path != str(FETCHED):
        pytest.skip(f"{aws.documentation} in {aws.path} is no Python that reads many files in a moment.")
    return FETCHED.parent / "package" / "usr" / "lib" / "python3" / "dist-packages"


@pytest.mark.parametrize("modules", [lambda: None, plain_python_version_2], ids=["v1 of PyPI", "v2"])
def test_the_aws_command_reads_every_file_of_the_specification(modules):
    """
    After each edit of the folder, the command, botocore and we find the same profiles with the same values.

    What was put is among them, and what was dropped is not.
    """
    folder = modules()
    edits = {
        str(path): [json.loads(line) for line in path.with_suffix(".edit").read_text(encoding="utf-8").splitlines()]
        for path in sorted(EDITS.glob("*.after"))
    }
    asked = [
        (path, "AWS_SHARED_CREDENTIALS_FILE" if "block" in str(asked_for) else "AWS_CONFIG_FILE")
        for path, asked_for in edits.items()
    ]
    said = subprocess.run(
        [sys.executable, "-c", THE_COMMANDS_READING],
        input=json.dumps(asked), capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, **({} if folder is None else {"PYTHONPATH": str(folder)})},
    )  # fmt: skip
    assert (said.returncode, said.stderr) == (0, "")
    found = json.loads(said.stdout)

    assert len(found) == len(edits) > 60
    for path, variable in asked:
        listed, profiles, sso_sessions = found[path]
        places = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, variable: path}
        by_botocore = read_by_botocore(places["AWS_CONFIG_FILE"], places["AWS_SHARED_CREDENTIALS_FILE"])
        by_us = AwsFiles(places).read()
        assert listed == list(by_botocore["profiles"]) == [*by_us.profiles, *by_us.static_profiles], path
        assert (profiles, sso_sessions) == (by_botocore["profiles"], by_botocore.get("sso_sessions")), path
        for edit in edits[path]:
            kind, name = edit.get("put") or edit["drop"]
            section = (sso_sessions if kind == "sso-session" else profiles).get(name)
            assert section is None if "drop" in edit else edit["settings"].items() <= section.items(), path


def test_dry_run_writes_nothing(app, home, show):
    """The difference is shown, and no file, folder or memory comes of it."""
    done = app.configure(show, dry_run=True)

    assert not (home / ".aws" / "config").exists()
    assert (done.written, len(done.added)) == (False, 7)
    assert repr(done).startswith("Nothing was written: 7 profiles to add")
    assert repr(done).endswith("Type the same without `--dry-run` to write it.")
    assert repr(show.views[-1]).startswith("What would change: 53 lines added, 0 removed.")


def test_prune(app, portal, home, show):
    """A role that was taken away: its profile goes with `--prune`, and not without."""
    app.configure(show)
    path = home / ".aws" / "config"
    path.write_text(path.read_text() + profile("by-hand", "999999999999"))
    portal.remove_role("333333333333", "Admin")

    without = app.configure(show)
    pruned = app.configure(show, prune=True)

    assert (without.removed, without.written) == ((), False)
    assert pruned.removed == ("awsucob0production-Admin",)
    left = read_by_botocore(path)["profiles"]
    assert "awsucob0production-Admin" not in left
    assert {"awsucob0production-ReadOnly", "by-hand"} <= set(left)


def test_it_signs_in_first(portal, app, home, show):
    """Not signed in: the card comes first, then the difference."""
    portal.knobs = Knobs(approve_after=2)

    app.configure(show, "awsucob0myaccount")

    kinds = list(dict.fromkeys(show.kinds))
    assert kinds == ["AwaitingApproval", "SignedIn", "ProposedChange"]


def test_five_hundred_accounts(kernel, home):
    """500 accounts: progress is on the page, and our own part takes seconds at most."""
    kernel.portal.knobs = Knobs(approve_after=1, accounts=500)
    kernel.sign_in()
    show = RecordingShow()

    done = commands.configure(context(kernel.own_state, kernel.directory), show)

    assert len(done.added) > 500
    assert "Progress" in show.kinds
    assert show.kinds[-1] == "ProposedChange"
    assert len(read_by_botocore(home / ".aws" / "config")["profiles"]) == len(done.added)


def test_a_thousand_profiles_are_planned_and_written_in_a_moment(home):
    """500 accounts with 2 roles each: plan, edit, check and write; then prune all but one; the page stays short."""
    accounts = {f"acc-{number:03}": (f"{number:012}", "Admin", "ReadOnly") for number in range(500)}
    show = RecordingShow()
    begin = time.perf_counter()

    done = configure(home, show=show, **accounts)
    pruned = configure(home, show=show, prune=True, **{"acc-000": accounts["acc-000"]})

    assert time.perf_counter() - begin < 5  # 1 s on a slow machine
    assert (len(done.added), len(pruned.removed)) == (1000, 998)
    assert list(read_by_botocore(home / ".aws" / "config")["profiles"]) == ["acc-000-Admin", "acc-000-ReadOnly"]
    page = show.views[0].mimebundle()
    assert page["text/plain"].count("\n") < 410
    assert page["text/plain"].endswith("… and 6605 more lines.")
    assert len(page["text/html"]) < 60_000


# The file.


def test_every_other_byte_stays(config, home):
    """Comments, order, blank lines, nested blocks, a missing last line end: what was there is there, unchanged."""
    config.write_text(MINE.rstrip("\n"))

    configure(home, **ACC)

    assert config.read_text() == MINE + "\n" + SESSION + profile("acc")


def test_windows_line_ends(config, home):
    """A file with Windows line ends gets more of them, and no others."""
    config.write_bytes(MINE.replace("\n", "\r\n").encode())

    configure(home, **ACC)

    assert config.read_bytes() == (MINE + "\n" + SESSION + profile("acc")).replace("\n", "\r\n").encode()
    assert "acc" in read_by_botocore(config)["profiles"]


@pytest.mark.parametrize("bits", [0o600, 0o644, 0o660])
def test_the_mode_stays(config, home, bits):
    """A config file is a person's own: who may read it stays as it was."""
    config.write_text(MINE)
    config.chmod(bits)

    configure(home, **ACC)

    assert mode(config) == bits


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only an administrator gives files away")
def test_the_owner_stays(config, home):
    """An administrator who works in somebody's home does not take the file away."""
    config.write_text(MINE)
    os.chown(config, 65534, 65534)

    configure(home, **ACC)

    assert (config.stat().st_uid, config.stat().st_gid) == (65534, 65534)


def test_a_symbolic_link_stays_one(config, home):
    """Who keeps the file in another place keeps it there."""
    real = home / "dotfiles" / "aws-config"
    real.parent.mkdir()
    real.write_text(MINE)
    config.symlink_to(real)

    configure(home, **ACC)

    assert config.is_symlink()
    assert real.read_text().startswith(MINE)
    assert list(real.parent.iterdir()) == [real]


def test_another_place(home, monkeypatch):
    """`AWS_CONFIG_FILE` moves the file; folders are made, and `~/.aws` is not."""
    monkeypatch.setenv("AWS_CONFIG_FILE", str(home / "a" / "b" / "config"))

    done = configure(home, **ACC)

    assert done.path == home / "a" / "b" / "config"
    assert "acc" in read_by_botocore(done.path)["profiles"]
    assert not (home / ".aws").exists()


def test_no_device_is_replaced(home, monkeypatch, tmp_path):
    """`AWS_CONFIG_FILE=/dev/null` is a way to have no config; a file in its place would break the machine."""
    pipe = tmp_path / "pretended-device"
    pipe.symlink_to(os.devnull)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(pipe))

    with pytest.raises(StorageError, match=r"is not a regular file.*AWS_CONFIG_FILE"):
        configure(home, **ACC)

    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)  # noqa: PTH116 - of the device, as it is


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="nothing is read-only for an administrator")
def test_a_read_only_file_stays(config, home):
    """Who made the file read-only meant it."""
    config.write_text(MINE)
    config.chmod(0o400)

    with pytest.raises(StorageError, match=r"it is read-only\. Make it writable"):
        configure(home, **ACC)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\xef\xbb\xbf" + SESSION.encode(), "line 1: it starts with a byte order mark"),
        (SESSION.encode() + b"aws_secret_S3CRET\n", "line 5: not `key = value`"),
        (2 * SESSION.encode(), r"line 5: \[sso-session fedauth\] is there twice"),
        (b"[ profile acc]\nregion = us-west-2\n", r"line 1: AWS programs do not read it as \[profile acc\]"),
        (SESSION.encode() + b"[sso-session 'fedauth']\n", r"line 5: \[sso-session fedauth\] is there twice"),
    ],
)
def test_a_file_that_cannot_be_edited_is_refused(config, home, data, said):
    """File, line and what is the matter; the file stays as it is, and nothing of it is repeated."""
    config.write_bytes(data)

    with pytest.raises((ConfigFileError, ConfigurationError), match=said) as caught:
        configure(home, **ACC)

    assert str(config) in str(caught.value)
    assert str(caught.value).endswith("then run the cell again.")
    assert "S3CRET" not in str(caught.value)
    assert config.read_bytes() == data


# What the page says.


def test_the_difference_comes_first_and_shows_no_key(config, home):
    """The difference stands on the page before the file is written; its neighbours' values do not."""
    config.write_text(MINE)
    seen = []

    class Page(RecordingShow):
        def __call__(self, view):
            seen.append((type(view), config.read_text()))
            return super().__call__(view)

    show = Page()

    done = configure(home, show=show, **ACC)

    assert seen == [(ProposedChange, MINE)]
    for view in (*show.views, done):
        assert "S3CRET" not in str(view.mimebundle())
    assert "+[profile acc]" in repr(show.views[0])
    assert "[profile acc]" in show.views[0].mimebundle()["text/html"]


def test_what_it_leaves_alone(config, home):
    """The result names what was there already, and what else there is."""
    config.write_text(MINE + SESSION + profile("mine"))

    done = configure(home, **ACC, other=("222222222222", "A", "B"))

    assert repr(done) == "\n".join([
        f"2 profiles added ({config}).",
        "  Added          other-A, other-B",
        "  Already there  mine",
        "  Not changed    default, lab",
        "In a terminal: `aws --profile other-A sts get-caller-identity`.",
    ])  # fmt: skip
    assert isinstance(done, Configured)


def test_titles(config, home):
    """The first line says what came of it, whatever that was."""
    gone = {"gone": ("222222222222", "MyRole")}

    titles = [
        repr(configure(home, **ACC, **gone)).split(" (")[0],
        repr(configure(home, **ACC)).split(" (")[0],
        repr(configure(home, prune=True, dry_run=True, **ACC)).split(" (")[0],
        repr(configure(home, prune=True, **ACC, new=("333333333333", "MyRole"))).split(" (")[0],
    ]
    config.write_text(config.read_text().replace("sso_registration_scopes = sso:account:access\n", ""))
    titles.append(repr(configure(home, **ACC)).split(" (")[0])

    assert titles == [
        "2 profiles added",
        "Nothing to change",
        "Nothing was written: 1 profile to remove",
        "1 profile added, 1 profile removed",
        "[sso-session fedauth] completed",
    ]


def test_names_in_html_are_escaped(home):
    """An account's name is text, on the page too."""
    show = RecordingShow()

    done = configure(home, show=show, **{"<script>": ("111111111111", "MyRole")})

    assert "<script>" not in show.views[0].mimebundle()["text/html"] + done.mimebundle()["text/html"]
    assert "<script>" in read_by_botocore(home / ".aws" / "config")["profiles"]


@pytest.mark.parametrize(
    ("pattern", "accounts", "said"),
    [
        ("nothing", ACC, "No account matches nothing. To see all, type `%cuaws accounts`."),
        (None, {}, "The portal lists no account for you.*type `%cuaws configure`."),
    ],
)
def test_nothing_to_configure(home, pattern, accounts, said):
    """No account: an error, and no file; also with `--prune`, so that a bad day of the portal removes nothing."""
    with pytest.raises(UnknownTarget, match=said):
        configure(home, pattern, **accounts)

    assert not (home / ".aws").exists()


def test_an_empty_answer_removes_nothing(home):
    """A portal that lists nothing at all is not believed."""
    configure(home, **ACC)

    with pytest.raises(UnknownTarget):
        configure(home, prune=True)

    assert "acc" in read_by_botocore(home / ".aws" / "config")["profiles"]


@pytest.mark.parametrize(
    ("sso_session", "said"),
    [
        (
            SsoSession(None, "https://x.awsapps.com/start", "eu-west-1", None),
            "`%cuaws login --session NAME --start-url",
        ),
        (SsoSession("a]b", "https://x.awsapps.com/start", "eu-west-1", None), r"can be called 'a\]b'"),
        (SsoSession("ok", "https://x.awsapps.com/start", "eu\n[x]", None), r"'eu\\n\[x\]' cannot stand on a line"),
    ],
)
def test_a_sign_in_that_no_profile_can_name(home, sso_session, said):
    """A sign-in without a name, or with one that would break the file, has no section to refer to."""
    with pytest.raises(ConfigurationError, match=said):
        configure(home, sso_session=sso_session, **ACC)


# What is ours.


def test_prune_with_a_pattern(home):
    """Only what the pattern means is removed, also where the portal no longer lists the account."""
    first, second = ("111111111111", "MyRole"), ("222222222222", "MyRole")
    configure(home, alpha=first, beta=second, gamma=("333333333333", "MyRole"))

    done = configure(home, "alp*", prune=True, gamma=("333333333333", "MyRole"))

    assert done.removed == ("alpha",)
    assert list(read_by_botocore(home / ".aws" / "config")["profiles"]) == ["beta", "gamma"]


def test_each_config_file_has_its_own_memory(home, monkeypatch):
    """What we wrote in one file is not ours in another."""
    configure(home, **ACC)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(home / "other"))
    (home / "other").write_text(SESSION + profile("acc"))

    done = configure(home, prune=True, new=("222222222222", "MyRole"))

    assert done.removed == ()


def test_damaged_memory_is_no_memory(home):
    """Without its memory it removes nothing, and goes on."""
    configure(home, **ACC)
    (memory,) = (home / "state").glob("profiles-*.json")
    memory.write_text('{"acc": 5, "x": {"settings": null}}')

    done = configure(home, prune=True, new=("222222222222", "MyRole"))

    assert (done.removed, done.added) == ((), ("new",))


# Two at once, and one that dies.


def child(home, name, first, count):
    """What a process of its own does: one account more each time."""
    for number in range(first, first + count):
        configure(Path(home), **{f"{name}{number}": (f"{number:012}", "MyRole")})


def start_child(*arguments):
    code = f"import test_configure as t; t.child(*{arguments!r})"
    here = Path(__file__).parent
    environ = {**os.environ, "PYTHONPATH": f"{here}{os.pathsep}{here.parent}"}
    return subprocess.Popen([sys.executable, "-c", code], env=environ)


def test_processes_that_write_at_once_lose_nothing(config, home):
    """Four kernels write profiles into one file: every profile is there, and remembered as ours."""
    config.write_text(MINE)

    children = [start_child(str(home), f"k{number}-", 1000 * number, 12) for number in range(1, 5)]

    assert [one.wait(120) for one in children] == [0, 0, 0, 0]
    expected = {f"k{number}-{1000 * number + step}" for number in range(1, 5) for step in range(12)}
    assert set(read_by_botocore(config)["profiles"]) == expected | {"default", "lab"}
    assert config.read_text().startswith(MINE)
    done = configure(home, prune=True, **ACC)
    assert set(done.removed) == expected


def test_threads_that_write_at_once_lose_nothing(home):
    """Neither do threads of one kernel."""
    threads = [threading.Thread(target=child, args=(str(home), f"t{n}-", 100 * n, 5)) for n in range(1, 5)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(read_by_botocore(home / ".aws" / "config")["profiles"]) == 20


def test_killed_in_the_middle(config, home):
    """Killed at any moment (`kill -9`): the file parses, what was there is there, no profile is half written."""
    config.write_text(MINE)
    chance = random.Random(5)

    for turn in range(6):
        one = start_child(str(home), f"turn{turn}-", 1000 * turn, 1000)
        begun = time.monotonic()
        while f"turn{turn}-" not in config.read_text():
            assert time.monotonic() - begun < 60
            time.sleep(0.01)
        time.sleep(chance.random() / 10)
        one.send_signal(signal.SIGKILL)
        one.wait(10)

        text = config.read_text()
        assert text.startswith(MINE + "\n" + SESSION)
        written = {name: one for name, one in read_by_botocore(config)["profiles"].items() if name.startswith("turn")}
        assert {len(settings) for settings in written.values()} == {5}
    assert configure(home, **ACC).written


def test_a_program_without_locks_is_noticed(config, home):
    """An editor that saves while we are about to write keeps what it saved: the change is made anew, of that."""
    config.write_text(MINE)
    theirs = "[default]\nregion = eu-west-1\n"

    class Page(RecordingShow):
        def __call__(self, view):
            if not self.views:
                config.write_text(theirs)
            return super().__call__(view)

    done = configure(home, show=Page(), **ACC)

    assert config.read_text().startswith(theirs)
    assert "[profile acc]" in config.read_text()
    assert done.written


def test_a_full_disk(config, home, monkeypatch):
    """The old file stays, and nothing is remembered as written."""
    config.write_text(MINE)

    def full(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storage, "_replace", full)
    with pytest.raises(StorageError, match="no space left on device"):
        configure(home, **ACC)

    assert config.read_text() == MINE
    assert [path.name for path in config.parent.iterdir()] == ["config"]
    assert not list((home / "state").glob("profiles-*.json"))


def test_a_full_disk_is_found_before_the_portal_is_asked(config, home, monkeypatch):
    """Nobody waits for a listing and reads a difference that cannot be written; `--dry-run` writes nothing."""
    config.write_text(MINE)
    show = RecordingShow()

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", full)
        with pytest.raises(StorageError, match=r"no space left on device. Free some space"):
            configure(home, show=show, **ACC)

    assert show.views == []


def test_a_home_without_locks(config, home, monkeypatch):
    """Where locks do not work the file is written all the same."""
    monkeypatch.setattr(storage, "_refuse_without_locks", lambda path: (_ for _ in ()).throw(OSError(37, "No locks")))

    assert configure(home, **ACC).written


# Forgetting.


@pytest.fixture(name="saved")
def _saved(home):
    path = home / ".aws" / "credentials"
    path.parent.mkdir(exist_ok=True)
    path.write_text(KEYS)
    path.chmod(0o600)
    return path


def test_forget(saved, home):
    """That block, and nothing else; the page does not show what was in it."""
    done = forget(home, "111111111111_MyRole")

    block = KEYS[KEYS.index("[1111") : KEYS.index("[lab")]
    assert saved.read_text() == KEYS.replace(block, "")
    assert mode(saved) == 0o600
    assert done.profile == "111111111111_MyRole"
    assert "works until they expire" in repr(done)
    assert "S3CRET" not in str(done.mimebundle()) + repr(done)


def test_forget_keys_without_an_end(saved, home):
    """Keys of an IAM user live on, and it says so."""
    assert "delete them in IAM too" in repr(forget(home, "lab keys"))
    assert saved.read_text() == KEYS[: KEYS.index("\n[lab")]


@pytest.mark.parametrize("by_name", [True, False], ids=["by its name", "its keys"])
@pytest.mark.parametrize(("forgotten", "said"), [("lab keys", True), ("111111111111_MyRole", False)])
def test_forget_what_is_in_use(saved, home, by_name, forgotten, said):
    """A block that is in use here, by its name or with its keys, is gone for every client: it says how to let go."""
    keys = role_credentials(access_key_id=Secret("AKIAS3CRET"))
    account, origin = Account("111111111111", "a"), Origin("the saved keys of lab keys", "", renews=False)
    source = (
        ProfileSource("lab keys", account, "r", None, None) if by_name else StaticSource(keys, account, "r", origin)
    )
    in_use = InUseRole(source, None if by_name else keys, "us-west-2", None)

    done = forget(home, forgotten, in_use)

    assert ("It is in use here: type `%cuaws release`." in repr(done)) is said


def test_forget_in_another_place(saved, home, monkeypatch):
    """`AWS_SHARED_CREDENTIALS_FILE` moves the file."""
    moved = home / "moved"
    moved.write_text("[a]\naws_access_key_id=AKIAS3CRET\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(moved))

    forget(home, "a")

    assert moved.read_text() == ""
    assert saved.read_text() == KEYS


def test_forget_leaves_a_profile_of_that_name(saved, config_with_profiles, home):
    """The block goes, the profile in the config file stays, and it says so."""
    saved.write_text("[acc]\naws_access_key_id=AKIAS3CRET\n")

    done = forget(home, "acc")

    assert f"The profile acc in {config_with_profiles} stays." in repr(done)
    assert "acc" in read_by_botocore(config_with_profiles)["profiles"]


@pytest.fixture(name="config_with_profiles")
def _config_with_profiles(home):
    path = home / ".aws" / "config"
    path.parent.mkdir(exist_ok=True)
    path.write_text(SESSION + profile("acc") + "\n[profile keys]\naws_access_key_id = AKIAS3CRET\n")
    return path


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("acc", "acc is a profile of .*config that signs in with Identity Center.* type `%cuaws logout`."),
        ("keys", "keys is not in .*credentials but a profile of .*config. Delete it by hand."),
        ("Default", "has no block Default. There is: default, 111111111111_MyRole, lab keys. .*`%cuaws forget NAME`."),
    ],
)
def test_what_cannot_be_forgotten(saved, config_with_profiles, home, name, said):
    """A profile that holds no saved keys, or a name that is not there: what there is, and what to type."""
    before = config_with_profiles.read_text()

    with pytest.raises(UnknownTarget, match=said):
        forget(home, name)

    assert (saved.read_text(), config_with_profiles.read_text()) == (KEYS, before)


def test_nothing_to_forget(home):
    """Without a file there is nothing, and none is made."""
    with pytest.raises(UnknownTarget, match="nothing to forget"):
        forget(home, "a")

    assert not (home / ".aws").exists()


def test_forget_does_not_edit_what_does_not_parse(saved, home):
    """A damaged file is refused with its line, and keeps every byte."""
    saved.write_text(KEYS + "S3CRET\n")

    with pytest.raises(ConfigFileError, match=r"credentials, line 13: not `key = value`") as caught:
        forget(home, "default")

    assert "S3CRET" not in str(caught.value)
    assert saved.read_text() == KEYS + "S3CRET\n"


# The writer, for whoever else saves a block.


def test_a_block_is_saved_and_replaced(home):
    """New keys under an old name replace the old ones; other settings of the block stay."""
    path = home / ".aws" / "credentials"
    writer = ConfigWriter(StateStore(home / "state"))

    for key in ("ASIAONE", "ASIATWO"):
        with writer.opened(path) as opened:
            opened.write(opened.edited([Put("block", "mine", {"aws_access_key_id": key}, "=")]))
    with writer.opened(path) as opened:
        opened.write(opened.edited([Drop("block", "other")]))

    assert path.read_text() == "[mine]\naws_access_key_id=ASIATWO\n"
    assert mode(path) == 0o600


# The faces.


def test_the_functions(app, portal, home, monkeypatch, capsys):
    """`configure` and `forget` are functions of the package too; they print what a notebook shows."""
    monkeypatch.setattr("cuaws_magic.api.the_context", lambda: app.context)
    (home / ".aws").mkdir()
    (home / ".aws" / "credentials").write_text(KEYS)

    done = cuaws.configure("awsucob0myaccount", dry_run=True)
    forgotten = cuaws.forget("default")

    assert done.added == ("awsucob0myaccount",)
    assert "+[profile awsucob0myaccount]" in capsys.readouterr().out
    assert forgotten.profile == "default"


def test_completion_and_help(app, saved):
    """`forget` completes the saved blocks, `configure` its options, and both explain themselves."""
    grammar = Grammar()

    assert grammar.complete("cuaws forget 11", "11", Names(app.context)) == ["111111111111_MyRole"]
    assert grammar.complete('cuaws forget "la', "la", Names(app.context)) == ['lab keys"']
    assert grammar.complete("cuaws configure --", "--", Names(app.context)) == [
        "--help",
        "--dry-run",
        "--prune",
        "--process",
        "--session",
    ]
    assert "--prune" in grammar.help("configure")
    parsed = grammar.parse("configure aws* --dry-run --prune")
    assert (parsed.pattern, parsed.dry_run, parsed.prune) == ("aws*", True, True)
    assert grammar.parse('forget "lab keys"').profile == "lab keys"


def test_views_are_values(home):
    """What comes back can be compared and taken apart."""
    done = configure(home, **ACC)

    assert dataclasses.replace(done) == done
    assert "+[profile acc]" in done.difference
