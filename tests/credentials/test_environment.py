"""The environment variables, one by one: what is set, taken out, kept and put back."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from doubles import documented, role_credentials

from cuaws_magic.credentials.environment import SET, TAKEN_OUT, KernelEnvironment

# Every variable of the contract (design 4), with what it holds after `install`; `None`: taken out.
CONTRACT = {
    "AWS_ACCESS_KEY_ID": "ASIAS3CRET1",
    "AWS_SECRET_ACCESS_KEY": "s3cret-key-1",
    "AWS_SESSION_TOKEN": "s3cret-role-1",
    "AWS_CREDENTIAL_EXPIRATION": "2026-03-02T16:00:00+00:00",
    "AWS_ACCOUNT_ID": "111111111111",
    "AWS_REGION": "us-west-2",
    "AWS_DEFAULT_REGION": "us-west-2",
    "AWS_PROFILE": None,
    "AWS_DEFAULT_PROFILE": None,
    "AWS_SECURITY_TOKEN": None,
}
ALL_FOUND = {name: f"found-{name}" for name in CONTRACT}
OTHERS = {"PATH": "/bin", "AWS_CONFIG_FILE": "/config", "AWS_EC2_METADATA_DISABLED": "true"}

FIRST = role_credentials(number=1)
SECOND = role_credentials("222222222222", number=2)


def installed(found, *regions):
    environ = {**OTHERS, **found}
    env = KernelEnvironment(environ)
    for credentials, region in zip((FIRST, SECOND), regions, strict=False):
        env.install(credentials, region)
    return environ, env


def test_the_contract_is_complete():
    """The variables that the module explains are exactly those of the contract."""
    assert set(SET) | set(TAKEN_OUT) == set(CONTRACT)
    assert set(TAKEN_OUT) == {name for name, value in CONTRACT.items() if value is None}


@pytest.mark.parametrize("found", [{}, ALL_FOUND], ids=["nothing found", "everything found"])
@pytest.mark.parametrize("name", CONTRACT)
def test_what_install_does_to_each_variable(name, found):
    """After `install` each variable holds what the contract says, whatever it held before."""
    environ, _ = installed(found, "us-west-2")

    assert environ.get(name) == CONTRACT[name]


@pytest.mark.parametrize("times", [1, 2], ids=["once", "twice"])
@pytest.mark.parametrize("name", CONTRACT)
def test_what_remove_does_to_each_variable(name, times):
    """After `remove` each variable is as it was found, set or not, also after two installs in a row."""
    with_it, env_with = installed({name: "found"}, *["us-west-2", "us-east-1"][:times])
    without, env_without = installed({}, *["us-west-2", "us-east-1"][:times])

    env_with.remove()
    env_without.remove()

    assert with_it == {**OTHERS, name: "found"}
    assert without == OTHERS


def test_nothing_else_is_touched():
    """Other variables, AWS's too, stay as they are."""
    environ, _ = installed({}, "us-west-2")

    assert {name: environ[name] for name in OTHERS} == OTHERS
    assert set(environ) - set(OTHERS) <= set(CONTRACT)


def test_the_second_set_replaces_the_first():
    """Nothing of the first account is left after a switch."""
    environ, _ = installed({}, "us-west-2", "us-east-1")

    assert environ["AWS_ACCOUNT_ID"] == "222222222222"
    assert environ["AWS_REGION"] == environ["AWS_DEFAULT_REGION"] == "us-east-1"
    assert not any("1" in environ[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"))


def test_the_expiration_is_written_last():
    """botocore reads the keys again when the expiration says so: it must not say so too early."""

    class Remembering(dict):
        def __setitem__(self, name, value):
            written.append(name)
            super().__setitem__(name, value)

    written = []
    KernelEnvironment(Remembering()).install(FIRST, "us-west-2")

    assert written[-1] == "AWS_CREDENTIAL_EXPIRATION"
    assert sorted(written) == sorted(SET)


@dataclass(frozen=True)
class ByHand:
    """What somebody did to a variable after `install`, and what must be there in the end."""

    documentation: str
    name: str
    by_hand: str | None
    found: dict = field(default_factory=dict)
    after: str | None = None


BY_HAND = [
    ByHand("a region of their own", "AWS_REGION", "eu-west-1", {"AWS_REGION": "us-east-1"}, "eu-west-1"),
    ByHand("keys of their own", "AWS_ACCESS_KEY_ID", "AKIAMINE", {}, "AKIAMINE"),
    ByHand("a variable deleted", "AWS_ACCOUNT_ID", None, {"AWS_ACCOUNT_ID": "9"}, None),
    ByHand("a profile put in again", "AWS_PROFILE", "mine", {"AWS_PROFILE": "before"}, "mine"),
    ByHand("a profile put in anew", "AWS_DEFAULT_PROFILE", "mine", {}, "mine"),
]


@documented(BY_HAND)
def test_what_was_changed_by_hand_is_theirs(case):
    """`remove` leaves a variable that somebody changed since as they left it, and says which."""
    environ, env = installed(case.found, "us-west-2")
    if case.by_hand is None:
        del environ[case.name]
    else:
        environ[case.name] = case.by_hand

    touched = env.touched
    env.remove()

    assert touched == (case.name,)
    assert environ.get(case.name) == case.after
    assert {name for name in environ if name not in OTHERS} <= {case.name, *case.found}


@documented(BY_HAND)
def test_a_second_install_finds_what_was_changed_by_hand(case):
    """What somebody set between two installs is what comes back in the end, not what was there first."""
    environ, env = installed(case.found, "us-west-2")
    if case.by_hand is None:
        del environ[case.name]
    else:
        environ[case.name] = case.by_hand

    env.install(SECOND, "us-east-1")
    env.remove()

    assert environ.get(case.name) == case.after


def test_what_was_found_is_known_while_installed():
    """The person's own profile is known although it is out of the environment meanwhile."""
    environ, env = installed({"AWS_PROFILE": "mine"}, "us-west-2", "us-east-1")

    assert "AWS_PROFILE" not in environ
    assert env.found("AWS_PROFILE") == "mine"
    assert env.found("AWS_REGION") is None
    assert env.found("PATH") == "/bin"


def test_installed_or_not():
    """It knows whether a set of ours is in."""
    _, env = installed({}, "us-west-2")

    assert env.installed
    env.remove()
    assert not env.installed


def test_removing_twice_does_nothing():
    """A second `remove` does not undo what the person did after the first."""
    environ, env = installed({"AWS_REGION": "us-east-1"}, "us-west-2")
    env.remove()
    environ["AWS_REGION"] = "us-west-2"

    env.remove()

    assert environ["AWS_REGION"] == "us-west-2"


def test_no_secret_in_the_repr():
    """The object that holds what it wrote does not print it."""
    _, env = installed({"AWS_SECRET_ACCESS_KEY": "s3cret-found"}, "us-west-2")

    assert "s3cret" not in repr(env).casefold()
