"""`%%cuaws as` and `%%cuaws each` in real kernels: a cell in other accounts; then all is as before."""

from __future__ import annotations

import textwrap

import pytest

from cuaws_magic.practice import Knobs

A, B = "awsucob0myaccount", "awsucob0myotheraccount"
IDS = {"111111111111": "A", "222222222222": "B"}

WHO = "import boto3; boto3.client('sts').get_caller_identity()['Account']"
CHILD = (
    "import subprocess, sys; print(subprocess.run([sys.executable, '-c', "
    "\"import boto3; print(boto3.client('sts').get_caller_identity()['Account'])\"], "
    "capture_output=True, text=True).stdout.strip())"
)
VARIABLES = (
    "import json, os; {name: value for name, value in sorted(os.environ.items()) if name.startswith('AWS_')}, "
    "__import__('subprocess').run('env | grep AWS_ | sort', shell=True, capture_output=True, text=True).stdout"
)


def environment(kernel):
    return kernel.good(VARIABLES).text


def test_as_runs_a_cell_in_another_account(kernel):
    """New sessions and child processes are that account; the value is the cell's own; afterwards all is as before."""
    kernel.good(f"%cuaws use {A}")
    before = environment(kernel)

    cell = kernel.good(f"%%cuaws as {B}\n{CHILD}\n{WHO}")

    assert cell.text.split() == ["222222222222", "'222222222222'"]
    assert environment(kernel) == before
    assert kernel.good(WHO).text == "'111111111111'"


def test_as_where_nothing_was_in_use(kernel):
    """Afterwards nothing is."""
    kernel.good("import cuaws_magic as cuaws; cuaws.login()")
    before = environment(kernel)

    assert kernel.good(f"%%cuaws as {A}\n{WHO}").text == "'111111111111'"

    assert environment(kernel) == before
    assert kernel.value("cuaws.status().in_use is None") is True


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("1 / 0", "error"),
        ("raise KeyboardInterrupt", "error"),
        ("import sys; sys.exit(3)", "error"),
        (f"%cuaws use {A}", "ok"),
        ("%cuaws release", "ok"),
        ("import os; os.environ['AWS_REGION'] = 'eu-west-1'; del os.environ['AWS_ACCESS_KEY_ID']", "ok"),
        ("import asyncio\nawait asyncio.sleep(0.01)", "ok"),
        ("def f(:", "error"),
        ("", "ok"),
    ],
    ids=[
        "an error",
        "an interrupt",
        "an exit",
        "a use",
        "a release",
        "a hand",
        "await",
        "no Python",
        "nothing",
    ],
)
def test_whatever_happens_all_is_as_before(kernel, body, status):
    """Variable by variable, in Python and in what child processes inherit."""
    kernel.good(f"%cuaws use {B}")
    before = environment(kernel)

    cell = kernel.run(f"%%cuaws as {A}\n{body}")

    assert cell.status == status
    assert environment(kernel) == before


def test_a_logout_inside_is_one(kernel):
    """Who signs out in the cell is signed out after it, and nothing is in use."""
    kernel.good(f"%cuaws use {B}")

    kernel.good(f"%%cuaws as {A}\n%cuaws logout")

    assert "AWS_ACCESS_KEY_ID" not in environment(kernel)
    assert kernel.value("__import__('cuaws_magic').status().in_use is None") is True


def test_a_traceback_is_the_cells_own(kernel):
    """Its line numbers too."""
    kernel.good("import cuaws_magic as cuaws; cuaws.login()")

    cell = kernel.run(f"%%cuaws as {A}\nx = 1\n1 / 0")

    assert cell.kind == "ZeroDivisionError"
    assert "----> 3 1 / 0" in cell.text
    assert "cuaws_magic" not in cell.text


def test_one_in_another(kernel):
    """A cell that runs a cell."""
    kernel.good(f"%cuaws use {A}")

    cell = kernel.good(
        f"%%cuaws as {B}\n{WHO.replace('boto3.client', 'print(boto3.client')})\n"
        f"get_ipython().run_cell({f'%%cuaws as {A}' + chr(10) + 'print(' + WHO.split('; ')[1] + ')'!r});\n"
        f"print({WHO.split('; ')[1]})"
    )

    assert [IDS[word] for word in cell.text.split() if word in IDS] == ["B", "A", "B"]
    assert kernel.good(WHO).text == "'111111111111'"


def test_clients_made_inside_keep_their_account(kernel):
    """After the cell too."""
    kernel.good(f"%cuaws use {A}")
    kernel.good(f"%%cuaws as {B}\nimport boto3; inside = boto3.client('sts')")

    assert kernel.good("inside.get_caller_identity()['Account']").text == "'222222222222'"


THREAD = """
import boto3, threading
answers, go = [], threading.Event()
def who(client): return client("sts").get_caller_identity()["Account"]
def child(): answers.append(who(boto3.client))
def later():
    answers.append(who(boto3.client))
    go.wait()
    answers.append(who(boto3.client)); answers.append(who(boto3.Session().client))
    inner = threading.Thread(target=child); inner.start(); inner.join()
thread = threading.Thread(target=later); thread.start()
"""


def test_threads_started_inside_keep_their_account(kernel):
    """What they make after the cell is of the cell's account, as are threads that they start; other threads are not."""
    kernel.good(f"%cuaws use {A}")
    kernel.good("import threading; usual = threading.Thread.start")
    kernel.good(f"%%cuaws as {B}\n{THREAD}")

    kernel.good(f"%%cuaws as {A}\npass")
    kernel.good("go.set(); thread.join()")
    assert kernel.value("answers") == ["222222222222"] * 4
    assert kernel.good(WHO).text == "'111111111111'"

    kernel.good("del answers[:]\nother = threading.Thread(target=child); other.start(); other.join()")
    assert kernel.value("answers") == ["111111111111"]
    kernel.good(f"%%cuaws as {A}\npass")
    assert kernel.value("threading.Thread.start is usual") is True


POOL = """
from concurrent.futures import ThreadPoolExecutor
pool = globals().get("pool") or ThreadPoolExecutor(1)
pool.submit(lambda: None).result()
"""


def test_threads_of_a_pool_follow_the_account_in_use(kernel):
    """A library's thread serves whoever comes later: what it makes then is of the account in use then."""
    kernel.good(f"%cuaws use {A}")
    kernel.good(f"%%cuaws as {B}\n{POOL}")

    answer = kernel.good(
        "import boto3; pool.submit(lambda: boto3.client('sts').get_caller_identity()['Account']).result()"
    )
    assert answer.text == "'111111111111'"


@pytest.mark.parametrize("line", ["as", "each"])
def test_role_and_region(kernel, line):
    """Both can be said: the cell runs as that role, and its clients go there."""
    region = "--region" if line == "as" else "--regions"
    kernel.good(f"%cuaws use {A}")
    session = "boto3.Session()" if line == "as" else "session"

    cell = kernel.good(
        f"%%cuaws {line} awsucob0production --role ReadOnly {region} eu-west-1 {'' if line == 'as' else '--yes'}\n"
        f"import boto3; client = {session}.client('sts')\n"
        "seen = (client.get_caller_identity()['Arn'], client.meta.region_name)"
    )

    assert cell.status == "ok"
    arn, seen_region = kernel.value("seen")
    assert "_ReadOnly_" in arn
    assert seen_region == "eu-west-1"
    assert kernel.good("boto3.Session().region_name").text == "'us-west-2'"


def test_an_account_that_is_not_there(kernel):
    """One line, and the cell does not run."""
    kernel.good(f"%cuaws use {A}")

    cell = kernel.run("%%cuaws as nosuchaccount\nprint('ran')")

    assert "There is no account or profile nosuchaccount" in cell.error
    assert "ran" not in cell.ever
    assert kernel.good(WHO).text == "'111111111111'"


def test_each_gathers_values(kernel):
    """One row for each account, by name; the account in use is as before, and so are variables of those names."""
    kernel.good(f"%cuaws use {A}; ")
    kernel.good("account = 'mine'")
    before = environment(kernel)

    cell = kernel.good(
        textwrap.dedent("""\
        %%cuaws each awsucob0my
        import boto3
        who = boto3.client("sts").get_caller_identity()["Account"]
        {"who": who, "session": session.client("sts").get_caller_identity()["Account"], "name": account}""")
    )

    assert "2 of 2 done" in cell.text
    assert kernel.value("_.to_dict()") == {
        name: {"who": number, "session": number, "name": name}
        for name, number in ((A, "111111111111"), (B, "222222222222"))
    }
    assert kernel.value("account") == "mine"
    assert environment(kernel) == before


def test_each_in_threads(kernel):
    """`--workers`: with `session` only, and no account in use for it."""
    kernel.good("import cuaws_magic as cuaws; cuaws.login()")

    kernel.good('%%cuaws each awsucob0my --workers 4\nsession.client("sts").get_caller_identity()["Account"]')

    assert kernel.value("_.to_dict()") == {A: "111111111111", B: "222222222222"}


def test_what_fails_is_a_row_and_can_be_run_again(kernel):
    """Errors are kept; `--again` runs what failed, and nothing else."""
    kernel.good("import cuaws_magic as cuaws; cuaws.login(); ran = []; broken = True")
    cell = "ran.append(account)\nif broken and account.endswith('otheraccount'): raise ValueError('no')\naccount"

    first = kernel.good(f"%%cuaws each awsucob0my\n{cell}")
    kernel.good("broken = False")
    again = kernel.good(f"%%cuaws each awsucob0my --again\n{cell}")

    assert "1 of 2 done, 1 failed" in first.text
    assert "ValueError: no" in first.text
    assert "add `--again`" in first.text
    assert "2 of 2 done" in again.text
    assert kernel.value("ran") == [A, B, B]


def test_stop_ends_at_the_first_error(kernel):
    """What was not begun is said."""
    kernel.good("import cuaws_magic as cuaws; cuaws.login()")

    cell = kernel.good("%%cuaws each awsucob0my --stop\n1 / 0")

    assert "0 of 2 done, 1 failed, 1 not begun" in cell.text


def test_production_is_asked_for(kernel):
    """A line says which, and what to type; nothing ran."""
    kernel.good("import cuaws_magic as cuaws; cuaws.login()")

    refused = kernel.run("%%cuaws each awsucob0 --role *ReadOnly*\nprint('ran')")
    done = kernel.good("%%cuaws each awsucob0production --role *ReadOnly* --yes\naccount")

    assert "marked production: awsucob0production." in refused.error
    assert "`%%cuaws each awsucob0 --role *ReadOnly* --yes`" in refused.error
    assert "ran" not in refused.ever
    assert "1 of 1 done" in done.text


def test_a_role_that_is_missing_is_a_row(kernel):
    """No role is guessed."""
    kernel.good("import cuaws_magic as cuaws; cuaws.login()")

    cell = kernel.good("%%cuaws each awsucob0 --yes\naccount")

    rows = {row["account"]: row for row in kernel.value("_.records()")}
    assert rows["awsucob0production"]["error"].startswith("several roles (ReadOnly, Admin): say which with --role")
    assert rows[A]["value"] == A
    assert "failed" in cell.text


def test_an_interrupt_keeps_what_is_done(kernel):
    """The rest can be run with `--again`."""
    kernel.good("import cuaws_magic as cuaws; cuaws.login()")

    cell = kernel.send(
        "%%cuaws each awsucob0my\nimport time\nif account.endswith('otheraccount'): time.sleep(30)\naccount"
    )
    kernel.until(lambda: "1 of 2" in cell.ever or cell.done)
    kernel.manager.interrupt_kernel()
    kernel.until(lambda: cell.done)

    assert "1 of 2 done, 1 not begun" in cell.text
    assert kernel.value("cuaws.status().in_use is None") is True


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("%%cuaws each nosuch*", "No account matches nosuch*"),
        ("%cuaws each x", "with two percent signs"),
        ("%%cuaws each awsucob0my --regions", "expected one argument"),
    ],
)
def test_what_cannot_be(kernel, line, said):
    """One line."""
    kernel.good("import cuaws_magic as cuaws; cuaws.login()")

    cell = kernel.run(f"{line}\nprint(1)")

    assert cell.status == "error"
    assert said in cell.text


def test_map(kernel):
    """The function's values in the order of names; nothing of the environment changes."""
    kernel.good("import cuaws_magic as cuaws; cuaws.login()")
    before = environment(kernel)

    kernel.good(
        "runs = cuaws.map(lambda session: session.client('sts').get_caller_identity()['Account'], 'awsucob0my')\n"
        "regions = cuaws.map(lambda session: session.region_name, ['awsucob0my'], regions=['us-east-1', 'eu-west-1'])"
    )

    assert kernel.value("runs.to_dict()") == {A: "111111111111", B: "222222222222"}
    assert kernel.value("[(one.account, one.region, one.value) for one in regions]") == [
        [name, region, region] for name in (A, B) for region in ("us-east-1", "eu-west-1")
    ]
    assert environment(kernel) == before


def test_map_again(kernel):
    """Only what failed or is missing is done again; what went well is kept."""
    kernel.good("import cuaws_magic as cuaws; cuaws.login(); asked, wrong = [], [True]")
    kernel.good(
        "def work(session):\n"
        "    number = session.client('sts').get_caller_identity()['Account']\n"
        "    asked.append(number)\n"
        "    if wrong and number == '222222222222':\n"
        "        raise ValueError('not yet')\n"
        "    return number\n"
        "first = cuaws.map(work, 'awsucob0my')"
    )
    assert kernel.value("[[run.id, run.error] for run in first]") == [
        ["111111111111", None],
        ["222222222222", "ValueError: not yet"],
    ]
    kernel.good("asked.clear(); wrong.clear(); second = cuaws.map(work, 'awsucob0my', again=first)")

    assert kernel.value("asked") == ["222222222222"]
    assert kernel.value("second.to_dict()") == {A: "111111111111", B: "222222222222"}


def test_accounts_that_failed_are_named_while_it_runs(kernel):
    """Nobody has to wait for the end to see that something goes wrong."""
    kernel.good("%cuaws login")
    body = "import time\nif account.endswith('myaccount'): 1 / 0\ntime.sleep(30)"
    cell = kernel.send(f"%%cuaws each awsucob0my\n{body}")
    kernel.until(lambda: "1 of 2" in cell.text)
    while_it_ran = cell.text
    kernel.interrupt()
    kernel.finish(cell)

    assert A in while_it_ran


MANY = Knobs(approve_after=1, interval=0, accounts=8)
EACH = "%%cuaws each research-* --role Researcher --yes\nimport time; time.sleep(0.3)\n" + WHO
MAP = (
    "import cuaws_magic as cuaws, time\n"
    "def who(session):\n    time.sleep(0.3)\n    return session.client('sts').get_caller_identity()['Account']\n"
    "cuaws.map(who, 'research-*', role='Researcher', workers=1)"
)


@pytest.mark.parametrize("line", [EACH, MAP], ids=["each", "map"])
def test_a_sign_in_that_ends_in_the_middle(kernel, portal, line):
    """It is asked for once, and the work goes on where it stopped."""
    portal.knobs = Knobs(approve_after=1, interval=0, accounts=18, latency=0.4)  # slower than what is fetched ahead
    kernel.good("%cuaws login")
    before = environment(kernel)
    cell = kernel.send(line)
    kernel.until(lambda: "of 20" in cell.text and portal.count("GetRoleCredentials") >= 2)
    portal.revoke_sign_ins()
    kernel.finish(cell)

    assert cell.status == "ok", cell.text
    found = kernel.value("[len(_), all(run.value == run.id for run in _), [run.error for run in _ if run.error]]")
    assert found == [20, True, []]
    assert portal.count("StartDeviceAuthorization") == 2
    assert environment(kernel) == before


def test_a_portal_that_says_too_many_requests(kernel, portal):
    """What is refused is asked again; no row is lost."""
    portal.knobs = Knobs(approve_after=1, interval=0, accounts=28, requests_per_second=8.0)
    kernel.good("%cuaws login")

    kernel.good("%%cuaws each research-* --role Researcher --yes\n1")

    assert kernel.value("[len(_), [one.error for one in _ if one.error]]") == [30, []]
    assert portal.count("ListAccountRoles") + portal.count("GetRoleCredentials") > 60  # some were refused


def test_two_at_once_in_two_notebooks(start_kernel, portal):
    """Each has an environment of its own."""
    portal.knobs = MANY
    kernels = [start_kernel(), start_kernel()]
    for one in kernels:
        one.good("%load_ext cuaws_magic")
        one.good("%cuaws login")
    cells = [one.send(EACH) for one in kernels]
    for one, cell in zip(kernels, cells, strict=True):
        one.finish(cell)

    for one, cell in zip(kernels, cells, strict=True):
        assert cell.status == "ok", cell.text
        assert one.value("[len(_), all(run.value == run.id for run in _)]") == [10, True]


def test_an_interrupt_in_the_first_moment(kernel, portal):
    """Whenever it comes, the environment is as before, and the next cell works."""
    portal.knobs = MANY
    kernel.good(f"%cuaws use {A}")
    kernel.good("import time")
    before = environment(kernel)
    for wait in (0.0, 0.001, 0.01, 0.05):
        # From inside: what comes before a cell begins is ipykernel's to take.
        cell = kernel.send(
            f"import os, signal, threading; threading.Timer({wait}, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
            "get_ipython().run_cell_magic('cuaws', 'each research-* --role Researcher --yes', 'time.sleep(0.1)')"
        )
        kernel.finish(cell)

        assert environment(kernel) == before
    assert kernel.good(WHO).text == "'111111111111'"


def test_a_region_that_an_account_has_not_enabled(kernel):
    """It is a row that says so, and no error; the same code in the account's own region is one."""
    refused = "raise e.ClientError({'Error': {'Code': 'OptInRequired', 'Message': 'no'}}, 'X')"
    body = f"import botocore.exceptions as e\nif region != 'us-west-2':\n    {refused}\nregion"
    cell = kernel.good(f"%%cuaws each {A} --regions us-west-2,ap-east-1\n{body}")

    assert kernel.value("[[one.region, one.value, one.enabled, one.error] for one in _]") == [
        ["us-west-2", "us-west-2", True, None],
        ["ap-east-1", None, False, None],
    ]
    assert "not enabled" in cell.text
    assert kernel.value("len(_.failed)") == 0
    kernel.good(f"%%cuaws each {A}\nimport botocore.exceptions as e\n{refused}")
    assert kernel.value("[one.enabled and 'OptInRequired' in one.error for one in _]") == [True]
