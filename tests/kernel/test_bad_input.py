"""
Bad input stops "Run all" with one clean line that says what to type, and nothing is lost.

Each case runs a notebook of two cells through nbclient in a real kernel; where a
person can put it right, the same kernel goes on afterwards.
"""

from __future__ import annotations

import dataclasses
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from cuaws_magic.practice import Failure, Knobs, people
from cuaws_magic.views.render import PAGE_SCRIPT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cuaws_magic.practice import PracticePortal

_ACCOUNTS = "%cuaws accounts"
_USE = "%cuaws use awsucob0myaccount"
_SECTION = "[sso-session fedauth]\nsso_start_url = https://cuboulder.awsapps.com/start\nsso_region = us-west-2\n"
_PROFILE = "[profile {}]\nsso_session = fedauth\nsso_account_id = {}\nsso_role_name = MyRole\n"
_ALWAYS = 1000  # more often than anybody asks


@dataclass(frozen=True)
class Case:
    """
    One way to go wrong.

    Attributes:
        about: What is wrong.

        line: What the first cell says.

        error: Name of the error that stops the notebook.

        says: What its line has to say; the last is what to type next.

        config: Content of `~/.aws/config`.

        before: Cells that were run before.

        knobs: How the portal is then.

        then: What works in the same kernel once config and knobs are put right.
    """

    about: str
    line: str
    error: str
    says: tuple[str, ...]
    config: str = ""
    before: tuple[str, ...] = ()
    knobs: Knobs = dataclasses.field(default_factory=lambda: Knobs(approve_after=1))
    then: str = ""


def _failing(operation: str, kind: str) -> Knobs:
    return Knobs(approve_after=1, failures=(Failure(operation, _ALWAYS, kind),))


CASES = [
    # What was typed.
    Case("unknown command", "%cuaws nosuch", "UsageError", ("no command nosuch", "There is: status, login, logout")),
    Case("misspelt command", "%cuaws logn", "UsageError", ("no command logn", "Did you mean `%cuaws login`?")),
    Case("unknown option", "%cuaws login --nope", "UsageError", ("--nope", "Type `%cuaws")),
    Case("nothing used before", "%cuaws use", "UnknownTarget", ("No account was used here before", "%cuaws accounts")),
    Case("bad timeout", "%cuaws login --timeout soon", "UsageError", ("soon", "Type `%cuaws login --help`.")),
    Case("unknown way", "%cuaws use x --via mail", "UsageError", ("mail", "Type `%cuaws use --help`.")),
    Case("open quote", '%cuaws use "my', "UsageError", ("a quotation mark is not closed", "run the cell again")),
    Case("cell magic", "%%cuaws use awsucob0myaccount\n1", "UsageError", ("takes a cell", "Type `%cuaws`")),
    # What was meant by TARGET.
    Case(
        "unknown account",
        "%cuaws use awsucob0myacount",
        "UnknownTarget",
        ("awsucob0myacount", "Nearest: awsucob0myaccount", "Type `%cuaws use awsucob0myaccount`."),
        then=_USE,
    ),
    Case(
        "nothing like it",
        "%cuaws use zzz",
        "UnknownTarget",
        ("There is no account or profile zzz.", "Type `%cuaws accounts` to see all 5."),
        then=_ACCOUNTS,
    ),
    Case(
        "a profile that is named as another account",
        "%cuaws use awsucob0myaccount",
        "AmbiguousTarget",
        ("222222222222", "111111111111", "Type the number", "`%cuaws use 111111111111`"),
        config=_SECTION + _PROFILE.format("awsucob0myaccount", "222222222222"),
        before=(_ACCOUNTS,),
        then="%cuaws use 111111111111",
    ),
    Case(
        "several roles and none named",
        "%cuaws use awsucob0production",
        "RoleNeeded",
        ("ReadOnly, Admin", "Type `%cuaws use awsucob0production --role ROLE` with the one"),
        then="%cuaws use awsucob0production --role ReadOnly",
    ),
    Case(
        "a role that is not there",
        "%cuaws use awsucob0production --role Root",
        "UnknownTarget",
        ("You have no role Root", "ReadOnly, Admin", "--role ROLE`."),
        then="%cuaws use awsucob0production/readonly",
    ),
    Case(
        "a role that is not there, by number",
        "%cuaws use 111111111111/Root",
        "NoAccess",
        ("may not use this role", "Type `%cuaws accounts --roles --refresh`"),
        then="%cuaws use 111111111111/MyRole",
    ),
    Case(
        "an account that is not yours",
        "%cuaws use 999999999999 --role MyRole",
        "NoAccess",
        ("may not use this role in this account", "Type `%cuaws accounts --roles --refresh`"),
        then=_USE,
    ),
    Case(
        "a number that is none of yours",
        "%cuaws use 999999999999",
        "NoAccess",
        ("The account 999999999999 is not among yours", "Type `%cuaws accounts --refresh` to see them."),
        then=_USE,
    ),
    Case(
        "a name with spaces, without quotes",
        "%cuaws use my account name",
        "UsageError",
        ("unrecognized arguments", 'into quotes: `%cuaws use "my account name"`', "Type `%cuaws"),
    ),
    Case(
        "a region that cannot be one",
        "%cuaws use awsucob0myaccount --region us-west2",
        "UsageError",
        ("us-west2 is not the name of a region", "Nearest: us-west-2", "Type `%cuaws use --help`."),
        then=_USE,
    ),
    # What the files say.
    Case(
        "a config file that does not parse",
        "%cuaws login",
        "ConfigFileError",
        (".aws/config, line 2", "correct the line, then run the cell again."),
        config="[sso-session fedauth]\nnonsense\n",
        then="%cuaws login",
    ),
    Case(
        "a section that is there twice",
        "%cuaws login",
        "ConfigFileError",
        (".aws/config, line 4", "is there twice", "correct the line, then run the cell again."),
        config=_SECTION + "[sso-session fedauth]\n",
        then="%cuaws",
    ),
    Case(
        "no start URL",
        "%cuaws login",
        "ConfigurationError",
        ("[sso-session fedauth]", "has no sso_start_url", "Add the line `sso_start_url = …`"),
        config="[sso-session fedauth]\nsso_region = us-west-2\n",
        then="%cuaws login",
    ),
    Case(
        "no region",
        "%cuaws login",
        "ConfigurationError",
        ("[sso-session fedauth]", "has no sso_region", "Add the line `sso_region = …`"),
        config="[sso-session fedauth]\nsso_start_url = https://cuboulder.awsapps.com/start\n",
        then="%cuaws login",
    ),
    Case(
        "a start URL that is not https",
        "%cuaws login --start-url http://cuboulder.awsapps.com/start --sso-region us-west-2",
        "ConfigurationError",
        ("must be an https address", "Type `%cuaws login --start-url URL --sso-region REGION`."),
        then="%cuaws login",
    ),
    Case(
        "a start URL that nobody answers",
        "%cuaws login --start-url https://127.0.0.1:9/start --sso-region us-west-2",
        "Unreachable",
        ("https://127.0.0.1:9/start cannot be reached from this machine", "Check the network or proxy"),
        then="%cuaws login",
    ),
    Case(
        "a start URL without region",
        "%cuaws login --start-url https://elsewhere.awsapps.com/start",
        "ConfigurationError",
        ("is not known", "Type `%cuaws login --start-url https://elsewhere.awsapps.com/start --sso-region REGION`."),
        then="%cuaws login --start-url https://elsewhere.awsapps.com/start --sso-region us-east-1",
    ),
    Case(
        "an sso-session that is not there",
        "%cuaws login --session work",
        "ConfigurationError",
        ("There is no [sso-session work]", "Type `%cuaws login --session work --start-url URL --sso-region REGION`."),
        then="%cuaws login",
    ),
    # What the person does, or does not.
    Case(
        "denied",
        "%cuaws login",
        "AuthorizationDenied",
        ("was denied on the sign-in page", "Type `%cuaws login` to ask again."),
        knobs=Knobs(deny=True),
        then="%cuaws login",
    ),
    Case(
        "four codes that ran out",
        "%cuaws login",
        "AuthorizationExpired",
        ("4 codes expired", "Type `%cuaws login` when you are ready."),
        knobs=Knobs(code_lifetime=1),
        then="%cuaws login",
    ),
    Case(
        "nobody within the timeout",
        "%cuaws login --timeout 1.5",
        "SignInTimeout",
        ("within 1.5 s", "Type `%cuaws login` when you are ready."),
        knobs=Knobs(),
        then="%cuaws login",
    ),
    # What the services answer.
    Case(
        "registration refused, the new one too",
        "%cuaws login",
        "ServiceFailure",
        ("refuses the registration of this program, a new one too", "then type `%cuaws login`."),
        knobs=_failing("StartDeviceAuthorization", "401"),
        then="%cuaws login",
    ),
    Case(
        "registrations that end at once",
        "%cuaws login",
        "ServiceFailure",
        ("refuses the registration of this program, a new one too", "then type `%cuaws login`."),
        knobs=Knobs(approve_after=1, registration_lifetime=0),
        then="%cuaws login",
    ),
    Case(
        "sign-in service: too many requests",
        "%cuaws login",
        "Throttled",
        ("too many requests", "Wait a minute, then run the cell again."),
        knobs=_failing("StartDeviceAuthorization", "429"),
        then="%cuaws login",
    ),
    Case(
        "sign-in service: down",
        "%cuaws login",
        "ServiceFailure",
        ("sign-in service of AWS has a problem", "Wait a minute, then run the cell again."),
        knobs=_failing("RegisterClient", "503"),
        then="%cuaws login",
    ),
    Case(
        "a Wi-Fi page instead of an answer",
        "%cuaws login",
        "ServiceFailure",
        ("cannot be read", "Open any web page to check, then run the cell again."),
        knobs=_failing("RegisterClient", "malformed"),
        then="%cuaws login",
    ),
    Case(
        "portal 401",
        _USE,
        "NotSignedIn",
        ("Your sign-in to fedauth ended", "Type `%cuaws login`."),
        before=("%cuaws login", _ACCOUNTS),
        knobs=_failing("GetRoleCredentials", "401"),
        then=_USE,
    ),
    Case(
        "portal 403",
        _USE,
        "NoAccess",
        ("no access", "Type `%cuaws accounts --roles --refresh`"),
        before=("%cuaws login",),
        knobs=_failing("GetRoleCredentials", "403"),
        then=_USE,
    ),
    Case(
        "portal 429",
        _USE,
        "Throttled",
        ("The AWS access portal says: too many requests", "Wait a minute, then run the cell again."),
        before=("%cuaws login",),
        knobs=_failing("GetRoleCredentials", "429"),
        then=_USE,
    ),
    Case(
        "portal 500",
        _USE,
        "ServiceFailure",
        ("The AWS access portal has a problem (GetRoleCredentials)", "Wait a minute, then run the cell again."),
        before=("%cuaws login",),
        knobs=_failing("GetRoleCredentials", "500"),
        then=_USE,
    ),
    Case(
        "STS does not answer",
        _USE,
        "Unreachable",
        ("AWS STS cannot be reached", "Correct or delete that setting, then run the cell again."),
        before=("%cuaws login",),
        knobs=_failing("sts:GetCallerIdentity", "reset"),
        then=_USE,
    ),
    Case(
        "nothing to ask STS with",
        "%cuaws whoami",
        "NoCredentials",
        ("no AWS credentials in this kernel", "Type `%cuaws use ACCOUNT`."),
        then=_USE,
    ),
    Case(
        "the clock is an hour slow",
        _USE,
        "ClockWrong",
        ("60 minutes behind AWS's", "Set the clock", "then run the cell again."),
        knobs=Knobs(approve_after=1, clock_offset=3600),
    ),
    Case(
        "the clock is an hour fast",
        _USE,
        "ClockWrong",
        ("60 minutes ahead of AWS's", "Set the clock", "then run the cell again."),
        knobs=Knobs(approve_after=1, clock_offset=-3600),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.about)
def test_bad_input(case: Case, kernel, portal: PracticePortal):
    """One clean line says what is wrong and what to type; the next cell is not run; then it can be put right."""
    config = kernel.home / ".aws" / "config"
    config.parent.mkdir()
    config.write_text(case.config)
    for source in case.before:
        kernel.good(source)
    kernel.good("import os; found = dict(os.environ)")
    portal.knobs = case.knobs

    notebook, error = kernel.run_all(case.line, "reached = True")

    stopped(notebook, error, case.error, case.says)
    assert kernel.value("dict(os.environ) == found")
    if case.then:
        config.write_text("")
        portal.knobs = Knobs(approve_after=1)
        kernel.good(case.then)


def stopped(notebook, error, name: str, says: tuple[str, ...]) -> None:
    """Check that a notebook stopped in its first cell with one line of this kind that says these things."""
    first, second = notebook.cells
    assert error is not None
    assert second.execution_count is None
    assert second.outputs == []
    if name == "UsageError":  # IPython's own: a line on stderr instead of an error output
        (output,) = first.outputs
        assert (output.output_type, output.name) == ("stream", "stderr")
        line = output.text.rstrip("\n")
        assert line.startswith("UsageError: ")
    else:
        output = first.outputs[-1]
        assert output.output_type == "error"
        assert output.ename == name
        (line,) = output.traceback
        assert line == output.evalue
    assert "\n" not in line
    for phrase in says:
        assert phrase in line
    cards = "".join(str(one.get("data", "")) for one in first.outputs)
    assert "user_code" not in cards
    assert "<script" not in cards.replace(PAGE_SCRIPT, "")


def test_two_accounts_of_one_name(kernel, monkeypatch: pytest.MonkeyPatch):
    """Two accounts of one name are told apart by number, and both numbers are said."""
    twin = people.PretendAccount("666666666666", "AWSUCOB0MyAccount", ("MyRole",))
    monkeypatch.setattr(people, "BUILT_IN", (*people.BUILT_IN, twin))

    notebook, error = kernel.run_all(_USE, "reached = True")

    says = ("2 accounts are named awsucob0myaccount", "111111111111", "666666666666", "Type the number: `%cuaws use ")
    stopped(notebook, error, "AmbiguousTarget", says)
    assert "666666666666" in kernel.good("%cuaws use 666666666666").text


def test_a_hostile_name_of_an_account(kernel, monkeypatch: pytest.MonkeyPatch):
    """What a terminal would obey in a name of the portal is made visible in the line."""
    hostile = people.PretendAccount("666666666666", "evil\x1b]0;pwned\x07\x1b[2J", ("A", "B"))
    monkeypatch.setattr(people, "BUILT_IN", (*people.BUILT_IN, hostile))

    notebook, error = kernel.run_all("%cuaws use 666666666666", "reached = True")

    kernel.good("%cuaws accounts")
    again = kernel.run("%cuaws use 666666666666")
    stopped(notebook, error, "RoleNeeded", ("A, B",))
    assert "evil\N{REPLACEMENT CHARACTER}]0;pwned" in again.error
    assert again.error.isprintable()


def test_no_network(start_kernel: Callable):
    """Nothing listens there: one line that says so; nobody is asked to sign in."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{closed.getsockname()[1]}"
    kernel = start_kernel(AWS_ENDPOINT_URL_SSO_OIDC=nowhere).load()

    notebook, error = kernel.run_all("%cuaws login", "reached = True")

    says = ("cannot be reached at http://127.0.0.1:", "set by AWS_ENDPOINT_URL", "then run the cell again.")
    stopped(notebook, error, "Unreachable", says)


def test_network_goes_away_while_waiting(kernel, portal: PracticePortal):
    """Polls that fail for a while do not end the sign-in; the code is still good."""
    portal.knobs = Knobs(approve_after=2, failures=(Failure("CreateToken", 1, "reset"),))

    cell = kernel.good("%cuaws login")

    assert "Still trying" in cell.ever
    assert cell.text.startswith("Signed in for")


def test_tls_failure(start_kernel: Callable, untrusted_endpoint: str):
    """A certificate that does not verify: one line that names the setting for it."""
    kernel = start_kernel(AWS_ENDPOINT_URL_SSO_OIDC=untrusted_endpoint).load()

    notebook, error = kernel.run_all("%cuaws login", "reached = True")

    says = ("the TLS certificate did not verify", "set AWS_CA_BUNDLE", "then run the cell again.")
    stopped(notebook, error, "Unreachable", says)


TOKEN_FILE = "68fff89d877d206161aeff3f3b70f2647f88c7b6.json"  # SHA-1 of `fedauth`


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b'{"startUrl": "https://cuboul', id="truncated"),
        pytest.param(b"[1, 2]", id="not an object"),
        pytest.param(b'{"name": "somebody else"}', id="foreign"),
        pytest.param(b"\xff\xfe\x00", id="not text"),
        pytest.param(None, id="unreadable"),
    ],
)
def test_damaged_token_file(kernel, content: bytes | None):
    """Status says what is wrong with the file, login repairs it, and other files stay as they are."""
    folder = kernel.home / ".aws" / "sso" / "cache"
    folder.mkdir(parents=True)
    (folder / "other.json").write_bytes(b"{not ours")
    path = folder / TOKEN_FILE
    if content is None:
        path.mkdir()  # root reads every file, but nobody reads a folder
    else:
        path.write_bytes(content)

    status = kernel.good("%cuaws")
    login = kernel.good("%cuaws login")
    use = kernel.good(_USE)

    assert TOKEN_FILE in status.text
    assert "`%cuaws login` replaces it." in status.text
    if content is None:
        assert "the sign-in works in this kernel only" in login.text
    else:
        assert "It has been replaced." in login.text
        assert b"accessToken" in path.read_bytes()
    assert "Using awsucob0myaccount" in use.text
    assert (folder / "other.json").read_bytes() == b"{not ours"


def test_damaged_neighbours(kernel):
    """A damaged registration or role-credentials file is as good as none."""
    kernel.good(_USE)
    for path in (kernel.home / ".aws").rglob("*.json"):
        path.write_bytes(b"{")
    kernel.good("%unload_ext cuaws_magic")
    kernel.load()

    cell = kernel.good(_USE)

    assert "Using awsucob0myaccount" in cell.text


def test_registration_of_another_portal(kernel, portal: PracticePortal):
    """A cached registration that the service does not know is replaced without a word."""
    kernel.good("%cuaws login")
    kernel.good("%cuaws logout")
    portal.stop()
    portal.start()
    kernel.good(f"import os; os.environ.update({portal.environment!r})")

    cell = kernel.good("%cuaws login")

    assert cell.text.startswith("Signed in for")
    assert portal.count("RegisterClient") == 1


def test_home_that_is_not_writable(start_kernel: Callable, tmp_path: Path):
    """Sign-in and accounts work in this kernel, and login says that they are not kept."""
    home = tmp_path / "full-home"
    home.mkdir()
    (home / ".aws").write_text("a file where a folder belongs")  # root writes everywhere else
    kernel = start_kernel(home).load()

    login = kernel.good("%cuaws login")
    again = kernel.good("%cuaws login")
    use = kernel.good(_USE)
    logout = kernel.good("%cuaws logout")

    assert "Signed in for" in login.text
    assert "Cannot write" in login.text
    assert "the sign-in works in this kernel only" in login.text
    assert again.text.startswith("Signed in for")
    assert "Using awsucob0myaccount" in use.text
    assert logout.text.startswith("Signed out")
    assert (home / ".aws").read_text() == "a file where a folder belongs"


def test_two_kernels_sign_in_at_once(start_kernel: Callable, portal: PracticePortal):
    """Two kernels wait; one approval signs both in, and neither page keeps a code."""
    portal.knobs = Knobs()
    first, second = start_kernel().load(), start_kernel().load()

    one, two = first.send("%cuaws login"), second.send("%cuaws login")
    first.until(lambda: len(portal.pending_user_codes()) == 2)
    codes = portal.pending_user_codes()
    portal.approve(codes[0])
    first.finish(one)
    second.finish(two)

    assert (one.status, two.status) == ("ok", "ok")
    for cell in (one, two):
        assert "Signed in for" in cell.text
        assert not any(code in cell.text + cell.html for code in codes)
    assert "Using awsucob0myaccount" in second.good(_USE).text
    assert sum(call.operation == "CreateToken" and call.error is None for call in portal.calls) == 1
