"""The doctor: each judgement by table, named bad situations with their expected lines, and a look that never fails."""

from __future__ import annotations

import dataclasses
import os
import stat
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from doubles import NOON, App, RecordingShow, documented, until
from hypothesis import given, settings
from hypothesis import strategies as st

from cuaws_magic.config.files import AwsFiles
from cuaws_magic.diagnostics import checks
from cuaws_magic.diagnostics import gather as gathering
from cuaws_magic.diagnostics.checks import conclusion, diagnose, judge
from cuaws_magic.diagnostics.snapshot import AwsCommand, AwsFile, Clock, Folder, Installed, Section, Snapshot
from cuaws_magic.practice import Knobs
from cuaws_magic.sso.session import CU_BOULDER
from cuaws_magic.views.diagnosis import of_message

SITUATIONS = Path(__file__).parent / "situations"
HOURS = timedelta(hours=1)
GOOD = (
    Installed("botocore", "1.43.0", "1.43.0"),
    Installed("boto3", "1.43.0", None, "1.29"),
    Installed("ipython", "9.18.1", "9.18.1", "8.12"),
    Installed("ipykernel", "7.4.0", "7.4.0"),
    Installed("ipywidgets", "8.1.9", None, "8"),
    Installed("jupyterlab_widgets", "3.0.17"),
)


def snapshot(**more: Any) -> Snapshot:
    """A machine on which all is well, but for what is given."""
    facts: dict[str, Any] = {
        "at": NOON,
        "variables": {},
        "config": AwsFile(Path("config"), "AWS_CONFIG_FILE", exists=True),
        "credentials": AwsFile(Path("credentials"), "AWS_SHARED_CREDENTIALS_FILE", exists=False),
        "clock": Clock("aws", timedelta(seconds=1)),
        "folders": (Folder(Path("cache"), None),),
        "sso_session": CU_BOULDER,
        "packages": GOOD,
    }
    return Snapshot(**facts | more)


def lines(**more: Any) -> list[str]:
    return [finding.line for finding in judge(snapshot(**more))]


def section(header: str, kind: str, name: str, *commented: str, **values: str) -> Section:
    return Section(header, kind, name, values, commented)


# Judgements.


@dataclass(frozen=True)
class Case:
    documentation: str
    facts: dict[str, Any]
    says: str
    last: str = "Ready: type `%cuaws use ACCOUNT`."
    silent: tuple[str, ...] = field(default=())


KEYS = {"AWS_ACCESS_KEY_ID": "…", "AWS_SECRET_ACCESS_KEY": "…"}
SET_CLOCK = "First: Set the clock, or ask the operator of this hub to."

CASES = [
    Case("a clock a second off is fine", {}, "ok: Clock: as that of aws, within 2 seconds."),
    Case(
        "a clock ten minutes ahead is an error",
        {"clock": Clock("aws", timedelta(minutes=10))},
        "error: Clock: The clock of this machine is 10 minutes ahead of that of aws: AWS refuses every request.",
        SET_CLOCK,
    ),
    Case(
        "a clock an hour behind is an error",
        {"clock": Clock("aws", -HOURS)},
        "is 60 minutes behind that of aws: AWS refuses every request.",
        SET_CLOCK,
    ),
    Case(
        "a clock ninety seconds off is a warning",
        {"clock": Clock("aws", timedelta(seconds=90))},
        "warning: Clock: The clock of this machine is 90 seconds ahead of that of aws; AWS tolerates five minutes.",
    ),
    Case("five minutes are borne", {"clock": Clock("aws", timedelta(minutes=5))}, "warning: Clock: "),
    Case("no time in the answer", {"clock": Clock("aws", None)}, "warning: Clock: aws did not send its time."),
    Case(
        "no network",
        {"clock": Clock("aws", None, "AWS cannot be reached. Check the network.")},
        "error: Network: AWS cannot be reached. Check the network.",
        "First: Check the network.",
    ),
    Case(
        "with an account in use, keys that were found are no trouble now",
        {"variables": KEYS, "in_use": "a"},
        "warning: Keys in the environment: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY come back with "
        "`%cuaws release`.",
        "Ready.",
    ),
    Case(
        "with an account in use, what was stale is said to come back stale",
        {"variables": KEYS | {"AWS_CREDENTIAL_EXPIRATION": "2026-03-02T11:00:00+00:00"}, "in_use": "a"},
        "come back with `%cuaws release`, and they ended at 11:00 UTC.",
        "Ready.",
    ),
    Case(
        "somebody changed the keys since",
        {"in_use": "a", "touched": ("AWS_ACCESS_KEY_ID",)},
        "warning: Keys in the environment: AWS_ACCESS_KEY_ID changed since `%cuaws use`, and what is there now wins.",
        "Ready.",
        silent=("none but those",),
    ),
    Case(
        "an expiration that is no time",
        {"variables": KEYS | {"AWS_CREDENTIAL_EXPIRATION": "soon"}},
        "error: Keys in the environment: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: AWS_CREDENTIAL_EXPIRATION "
        "is not a time",
        "First: Type `%cuaws use ACCOUNT`, which replaces them while the account is in use.",
    ),
    Case(
        "keys that are still good win over a hub's role",
        {"variables": KEYS | {"AWS_CREDENTIAL_EXPIRATION": "2026-03-02T13:00:00Z", "AWS_ROLE_ARN": "r"}},
        "are set; they win over AWS_ROLE_ARN.",
    ),
    Case(
        "a profile that is not there, while an account is in use",
        {"variables": {"AWS_PROFILE": "p"}, "in_use": "a"},
        "warning: AWS_PROFILE: names the profile p, which is not in config; it comes back with `%cuaws release`.",
        "Ready.",
    ),
    Case(
        "a profile in a file that does not parse is not judged",
        {
            "variables": {"AWS_PROFILE": "p"},
            "config": AwsFile(Path("config"), "AWS_CONFIG_FILE", exists=True, trouble="config, line 1: no. Mend it."),
        },
        "error: Config file: config, line 1: no. Mend it.",
        "First: Mend it.",
        silent=("names the profile p",),
    ),
    Case(
        "IRSA does not hide an account in use",
        {
            "variables": {"AWS_ROLE_ARN": "r", "AWS_WEB_IDENTITY_TOKEN_FILE": "f"},
            "in_use": "a",
        },
        "warning: Hub's role: ",
        "Ready.",
    ),
    Case(
        "[default] with a region only hides nothing",
        {
            "variables": {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/x"},
            "config": AwsFile(
                Path("config"),
                "AWS_CONFIG_FILE",
                exists=True,
                sections=(section("default", "profile", "default", region="us-west-2"),),
            ),
        },
        "(container credentials, AWS_CONTAINER_CREDENTIALS_RELATIVE_URI)",
        silent=("[default]",),
    ),
    Case(
        "endpoints that are ignored",
        {"variables": {"AWS_ENDPOINT_URL": "https://x.example", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}},
        "ok: Endpoints: AWS's own: AWS_IGNORE_CONFIGURED_ENDPOINT_URLS is set.",
    ),
    Case(
        "an endpoint on this machine",
        {"variables": {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}},
        "warning: Endpoints: AWS_ENDPOINT_URL leads to this machine, not to AWS.",
    ),
    Case(
        "a proxy that leaves this machine alone",
        {"variables": {"http_proxy": "proxy:1", "NO_PROXY": "localhost, 127.0.0.1"}},
        "ok: Sign-in: ",
        silent=("NO_PROXY",),
    ),
    Case("an address without sense", {"variables": {"AWS_ENDPOINT_URL": "http://["}}, "a host without a valid name"),
    Case(
        "signed in",
        {"signed_in_until": NOON + 8 * HOURS},
        "ok: Sign-in: fedauth, 8 h left, until about 20:00 UTC.",
    ),
    Case(
        "a start URL whose host names another region",
        {
            "config": AwsFile(
                Path("config"),
                "AWS_CONFIG_FILE",
                exists=True,
                sections=(
                    section(
                        "sso-session w",
                        "sso-session",
                        "w",
                        sso_start_url="https://ssoins-1.portal.eu-west-1.app.aws",
                        sso_region="us-east-1",
                    ),
                ),
            )
        },
        "warning: Config file: sso_region = us-east-1 of [sso-session w] in config is another region than "
        "https://ssoins-1.portal.eu-west-1.app.aws names: that is right only where your organisation has Identity "
        "Center in several regions. If sign-ins fail, write `sso_region = eu-west-1`.",
    ),
    Case(
        "files that are not ours to read",
        {"unreadable": (Path("a b"), Path("c"), Path("d"), Path("e"))},
        "error: Permissions: a b, c, d and 1 more cannot be read by you. Type `!chmod u+rw 'a b' c d e`;",
        "First: Type `!chmod u+rw 'a b' c d e`; ask the operator of this machine if that is refused.",
    ),
    Case(
        "a package is missing",
        {"packages": (Installed("ipywidgets", None, None, "8"),)},
        "error: Versions: ipywidgets is not installed. Type `%pip install ipywidgets`, then restart the kernel.",
        "First: Type `%pip install ipywidgets`, then restart the kernel.",
    ),
    Case(
        "a package is too old",
        {"packages": (Installed("ipywidgets", "7.7.5", None, "8"),)},
        'Versions: ipywidgets 7.7.5 is too old; 8 or later is needed. Type `%pip install "ipywidgets>=8"`',
        'First: Type `%pip install "ipywidgets>=8"`, then restart the kernel.',
    ),
    Case(
        "a package was updated under a running kernel",
        {"packages": (Installed("botocore", "1.43.0", "1.40.0"),)},
        "warning: Versions: botocore 1.43.0 is installed, but this kernel still runs 1.40.0. Restart the kernel.",
    ),
    Case(
        "an ipykernel that cannot update widgets",
        {"packages": (Installed("ipykernel", "7.0.1"),), "kernel": True},
        "warning: Versions: ipykernel 7.0.1 cannot update a widget from the background.",
    ),
    Case(
        "the same in a terminal does not matter",
        {"packages": (Installed("ipykernel", "7.0.1"),)},
        "ok: Versions: ipykernel 7.0.1.",
    ),
    Case(
        "the front end is in another environment",
        {"packages": GOOD[:-1]},
        "warning: Widget front end: jupyterlab_widgets is not in this environment; the server may have it",
    ),
    Case(
        "a front end of the last generation",
        {"packages": (*GOOD[:-1], Installed("jupyterlab_widgets", "1.1.7"))},
        "warning: Widget front end: jupyterlab_widgets 1.1.7 does not match ipywidgets 8.1.9.",
    ),
    Case("no aws command", {}, "ok: AWS CLI: not on the PATH, and not needed."),
    Case("aws 2", {"aws": AwsCommand("/aws", "2.36.7")}, "ok: AWS CLI: /aws, version 2.36.7."),
    Case("aws 1", {"aws": AwsCommand("/aws", "1.46.3")}, "warning: AWS CLI: /aws is version 1.46.3: it acts as"),
    Case("an old aws 2", {"aws": AwsCommand("/aws", "2.8.1")}, "version 2.8.1, which does not know [sso-session]."),
    Case("a slow aws", {"aws": AwsCommand("/aws", None)}, "AWS CLI: /aws did not say its version in time."),
]


@documented(CASES)
def test_judgements(case):
    """Each fact leads to its line, and the last line says what is first."""
    given_facts = snapshot(**case.facts)
    findings = judge(given_facts)
    said = "\n".join(finding.line for finding in findings)

    assert case.says in said
    assert conclusion(findings, given_facts) == case.last
    assert not any(words in said for words in case.silent)


@documented(CASES)
def test_findings_are_well_formed(case):
    """What is not fine ends with what to do; nothing is said twice; the worst comes first."""
    findings = judge(snapshot(**case.facts))

    order = ["error", "warning", "ok"]
    assert [order.index(one.severity) for one in findings] == sorted(order.index(one.severity) for one in findings)
    assert len({one.line for one in findings}) == len(findings)
    for one in findings:
        assert not one.what.endswith(".")
        assert (one.do == "") == (one.severity == "ok")
        assert one.do.endswith(("", ".")[bool(one.do)])


def test_the_card():
    """Both faces have every finding and end with the one line; HTML is escaped."""
    diagnosis = diagnose(snapshot(variables={"AWS_PROFILE": "<b>"}, clock=Clock("aws", HOURS)))
    plain, html = diagnosis.mimebundle()["text/plain"], diagnosis.mimebundle()["text/html"]

    assert not diagnosis.ready
    assert plain.startswith("2 problems.")
    assert plain.splitlines()[-1] == diagnosis.conclusion
    assert diagnosis.conclusion.startswith("First: Type `import os; del os.environ")
    assert "&lt;b&gt;" in html
    assert "<b>," not in html
    assert "Set the clock" in html
    assert diagnose(snapshot()).ready
    assert repr(diagnose(snapshot())).endswith("Ready: type `%cuaws use ACCOUNT`.")


@pytest.mark.parametrize(
    ("message", "what", "do"),
    [
        ("It is so. Do that.", "It is so", "Do that."),
        ("It. Is so. Do that", "It. Is so", "Do that."),
        ("Only this", "Only this", "Correct that."),
    ],
)
def test_messages_become_findings(message, what, do):
    """The last sentence of an error's message says what to do."""
    finding = of_message("error", "x", message)

    assert (finding.what, finding.do) == (what, do)


@given(st.text(max_size=20))
def test_any_version_can_be_compared(version):
    """A version is what numbers it begins with."""
    assert all(isinstance(number, int) for number in checks.numbers(version))


# The look.


@pytest.fixture
def quiet(portal, monkeypatch):
    """A practice portal that is reached through AWS_ENDPOINT_URL_SSO_OIDC alone, and no `aws` on the PATH."""
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SSO", "AWS_ENDPOINT_URL_STS"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("PATH", os.devnull)
    return portal


def situations():
    found = sorted(path for path in SITUATIONS.iterdir() if path.is_dir())
    assert len(found) > 35
    return pytest.mark.parametrize("folder", found, ids=lambda path: path.name)


def arrange(folder, home, monkeypatch):
    """Put a situation into a home."""
    aws = home / ".aws"
    aws.mkdir(exist_ok=True)
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if path.is_file() and relative.parts[0] not in {"expected", "environment", "modes"}:
            (aws / relative).parent.mkdir(parents=True, exist_ok=True)
            (aws / relative).write_bytes(path.read_bytes())
            (aws / relative).chmod(0o600)
    if (folder / "modes").exists():
        for line in (folder / "modes").read_text().splitlines():
            mode, name = line.split()
            (home / name).chmod(int(mode, 8))
    if (folder / "environment").exists():
        for line in (folder / "environment").read_text().splitlines():
            name, _, value = line.partition("=")
            monkeypatch.setenv(name, value)


@situations()
def test_situations(folder, quiet, home, monkeypatch):
    """The folder is the specification: each situation has its line, and nobody's secret is repeated."""
    if (folder / "modes").exists() and os.name != "posix":
        pytest.skip("permissions of POSIX")
    arrange(folder, home, monkeypatch)

    diagnosis = App().doctor()

    said = [finding.line.replace(str(home), "~") for finding in diagnosis.findings]
    said.append(diagnosis.conclusion.replace(str(home), "~"))
    for expected in (folder / "expected").read_text().splitlines():
        assert any(expected in line for line in said), "\n".join(said)
    shown = str(diagnosis.mimebundle()) + repr(diagnosis.findings)
    assert "S3CRET" not in shown
    assert shown.count("Traceback") == 0


@situations()
def test_a_snapshot_holds_no_secret(folder, quiet, home, monkeypatch):
    """Gathering leaves secrets where they are; addresses may hold one, and are cut down to hosts when judged."""
    arrange(folder, home, monkeypatch)

    facts = repr(dataclasses.replace(gathering.gather(App().context), variables={}))

    assert "S3CRET" not in facts


def test_clock_by_the_portals_date(portal):
    """An hour between this clock and the portal's is seen, by one request that needs no sign-in."""
    portal.knobs = Knobs(clock_offset=3600)
    portal.clear_calls()

    diagnosis = App().doctor()

    assert any(
        "Clock: The clock of this machine is 60 minutes behind that of 127" in one.line for one in diagnosis.findings
    )
    assert portal.calls == []  # no operation of the service, no sign-in


def test_no_network(portal):
    """Without a network it is said so, and all the rest is still judged."""
    portal.stop()

    diagnosis = App().doctor()

    (network,) = [one for one in diagnosis.findings if one.subject == "Network"]
    assert network.line.startswith("error: Network: The sign-in service of AWS cannot be reached at http://127.0.0.1:")
    assert diagnosis.conclusion == f"First: {network.do}"
    assert any(one.subject == "Versions" for one in diagnosis.findings)


def test_who_does_not_answer_is_not_waited_for(portal, monkeypatch):
    """A name server can take minutes; the doctor does not."""
    gate = threading.Event()
    monkeypatch.setattr(gathering, "_LONGEST", 0.3)
    monkeypatch.setattr("cuaws_magic.aws.plain_clients.Connections.send", lambda *_: gate.wait(20))
    monkeypatch.setenv("PATH", os.devnull)

    diagnosis = App().doctor()
    gate.set()

    assert any(one.line.startswith("error: Network: AWS did not answer in") for one in diagnosis.findings)


def test_a_broken_config_does_not_hide_the_clock(portal, home):
    """A config file that does not parse, or a profile that is not there, does not stop the rest."""
    (home / ".aws").mkdir()
    (home / ".aws" / "config").write_text("nonsense")
    os.environ["AWS_PROFILE"] = "nobody"  # the fixture puts the environment back
    try:
        diagnosis = App().doctor()
    finally:
        del os.environ["AWS_PROFILE"]

    assert any(one.line.startswith("ok: Clock: as that of 127.0.0.1") for one in diagnosis.findings)
    assert diagnosis.conclusion.startswith("First: No AWS program can read this file")


def test_it_changes_nothing(app, home):
    """A look leaves environment and home as they are, with an account in use too."""
    app.use(RecordingShow(), "awsucob0myaccount")
    until(lambda: not [one for one in threading.enumerate() if one.name == "cuaws-seen"])  # it writes for a moment
    before = dict(os.environ), sorted((path, path.stat().st_mtime_ns) for path in home.rglob("*"))

    diagnosis = app.doctor()

    assert (dict(os.environ), sorted((path, path.stat().st_mtime_ns) for path in home.rglob("*"))) == before
    assert diagnosis.conclusion == "Ready."
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        assert os.environ[name] not in str(diagnosis.mimebundle())


def test_what_was_found_before_use_is_judged_as_found(app, monkeypatch):
    """With an account in use the doctor tells ours from what comes back with a release."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAS3CRET")
    app.use(RecordingShow(), "awsucob0myaccount")

    said = [one.line for one in app.doctor().findings]
    app.release()

    assert any(
        "AWS_ACCESS_KEY_ID comes back with `%cuaws release`, and the id is there without" in line for line in said
    )


@pytest.mark.skipif(os.name != "posix", reason="a script as the command")
@pytest.mark.parametrize(
    ("script", "version"),
    [
        ("echo aws-cli/2.36.7 Python/3.13", "2.36.7"),
        ("echo aws-cli/1.46.3 Python/3.11 >&2", "1.46.3"),
        ("echo hello; exit 3", None),
        ("exec sleep 30", None),
    ],
)
def test_the_aws_command(script, version, tmp_path, monkeypatch):
    """Its version comes from the command itself, if it says so in time."""
    monkeypatch.setattr(gathering, "_LONGEST", 2)
    command = tmp_path / "aws"
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)

    found = gathering._aws_command({"PATH": str(tmp_path)})

    assert found == AwsCommand(str(command), version)


def test_needed_versions_are_those_of_the_package():
    """What is too old is judged by the package's own requirements."""
    by_name = {one.name: one for one in gathering._packages()}

    assert by_name["boto3"].needed == "1.34.106"
    assert by_name["ipywidgets"].needed == "8"
    assert by_name["botocore"].version == by_name["botocore"].loaded


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_home_that_cannot_be_written(quiet, home):
    """Permissions, where they bind."""
    home.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        said = [one.line for one in App().doctor().findings]
    finally:
        home.chmod(stat.S_IRWXU)

    assert any("permission denied; a sign-in works in this kernel only" in line for line in said)


LINE = st.one_of(
    st.sampled_from(
        [
            "[profile a]",
            "[profile a b]",
            "[default]",
            "[sso-session s]",
            "[x]",
            "[services y]",
            "sso_session = s",
            "sso_start_url = https://x.awsapps.com/start",
            "sso_region = us-west-2 # c",
            "sso_account_id = 1",
            "region = nowhere",
            "  nested = 1",
            "aws_secret_access_key = S3CRETS3CRET",
            "aws_session_token = S3CRETS3CRET # S3CRETS3CRET",
            "ca_bundle = ~/x",
            "credential_process = echo S3CRETS3CRET",
        ]
    ),
    st.text(max_size=15),
)


@settings(max_examples=150, deadline=None)
@given(config=st.lists(LINE, max_size=12), credentials=st.lists(LINE, max_size=6))
def test_any_files_can_be_judged(config, credentials, tmp_path_factory):
    """Whatever stands in the files: a judgement, no secret, no exception."""
    folder = tmp_path_factory.mktemp("fuzz")
    for name, content in (("config", config), ("credentials", credentials)):
        (folder / name).write_text("\n".join(content), encoding="utf-8", errors="surrogatepass")
    places = {"AWS_CONFIG_FILE": str(folder / "config"), "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials")}
    context = App(places).context
    files = AwsFiles(places)

    facts = snapshot(
        config=gathering._file(context, files.config_path, "AWS_CONFIG_FILE"),
        credentials=gathering._file(context, files.credentials_path, "AWS_SHARED_CREDENTIALS_FILE"),
    )
    readable = facts.config.trouble is None and facts.credentials.trouble is None
    troubles = tuple(gathering._file_troubles(context, None)) if readable else ()
    said = str(diagnose(dataclasses.replace(facts, file_troubles=troubles)).mimebundle())

    assert "S3CRETS3CRET" not in said + repr(facts)
