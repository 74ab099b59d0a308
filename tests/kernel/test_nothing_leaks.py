"""
Every command, error and fault in one real kernel, and a search for each secret in all that is shown, kept or written.

Masking is off here: what it would catch is a leak of ours. A command that is not in `COMMANDS` fails the test.
"""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import nbformat
import pytest
from marks import Marks

from cuaws_magic.ipython.grammar import Grammar
from cuaws_magic.practice import Failure, Knobs

if TYPE_CHECKING:
    from pathlib import Path

    from kernel.conftest import Cell, Kernel

    from cuaws_magic.practice import PracticePortal

A, B = "awsucob0myaccount", "awsucob0myotheraccount"

# What each command does, and some ways in which it fails; in this order.
COMMANDS = {
    "login": ["%cuaws login", "%cuaws login --force", "%cuaws login --start-url nonsense", "%cuaws login --no-wait"],
    "status": ["%cuaws", "%cuaws status", "%cuaws status surplus"],
    "accounts": ["%cuaws accounts", "%cuaws accounts --roles", "%cuaws accounts nosuch", "%cuaws accounts --refresh"],
    "use": [f"%cuaws use {A}", f"%cuaws use {B} --via env", "%cuaws use nosuch", f"%cuaws use {A} --via endpoint",
            f"%cuaws use {A} --role Nobody", f"x = %cuaws use {A}", "%cuaws use -"],
    "whoami": ["%cuaws whoami"],
    "configure": ["%cuaws configure --dry-run", "%cuaws configure", "%cuaws configure --process"],
    "as": [f"%%cuaws as {B}\nimport boto3; boto3.client('sts').get_caller_identity()['Account']",
           f"%%cuaws as {B}\n1 / 0"],
    "each": [f"%%cuaws each {A} {B}\nsession.client('sts').get_caller_identity()['Account']",
             f"%%cuaws each {A}\n1 / 0"],
    "panel": ["%cuaws panel"],
    "console": ["%cuaws console s3", "%cuaws console nosuch"],
    "export": ["%cuaws export --to keys.env", "%cuaws export --format process --var text", "%cuaws export --format odd",
               f"exported = %cuaws export {B}\nexported"],
    "doctor": ["%cuaws doctor"],
    "paste": ["%cuaws paste", "%cuaws paste --save mine"],
    "forget": ["%cuaws forget mine", "%cuaws forget nosuch"],
    "release": ["%cuaws release", "import boto3; boto3.client('sts').get_caller_identity()"],
    "logout": ["%cuaws logout", "%cuaws logout --all", "%cuaws whoami"],
}  # fmt: skip

# With an account in use: what a person looks at, and what goes wrong at AWS.
LOOKS = """\
import cuaws_magic as cuaws, boto3, copy, pickle, traceback, logging, os, urllib.request, urllib.error
context = get_ipython().magics_manager.registry['CuawsMagics'].context
---
values = [
    cuaws.status(), cuaws.whoami(), cuaws.accounts(), cuaws.use('-'), cuaws.doctor(), cuaws.export(), cuaws.session(),
    cuaws.credential_provider('obstore'), context, context.credentials.current, context.credentials, context.broker,
    context.token_cache, context.login, context.endpoint, context.credentials.current.credentials,
    context.credentials.current.source, context.seen,
]
---
for v in values: print(repr(v)[:5000], str(v)[:5000], '{}'.format(v)[:5000])
---
for v in values: print(vars(v) if hasattr(v, "__dict__") else [getattr(v, n) for n in getattr(v, "__slots__", ())])
---
def pickled(v):
    try: return pickle.dumps(v)
    except Exception as error: return repr(error)
[pickled(v) for v in values]
---
[copy.copy(v) for v in values[:6]]
---
values[0]
---
import a_module_that_is_not_there
---
try: cuaws.use('nosuch')
except Exception as error: print(''.join(traceback.format_exception(error)))
---
raise cuaws.CuawsError('x')
---
logging.getLogger('botocore').setLevel('DEBUG'); cuaws.use('-'); cuaws.whoami(); cuaws.accounts()
logging.getLogger('botocore').setLevel('WARNING')
---
address = context.endpoint.address(context.credentials.current.source)
request = urllib.request.Request(address.url, headers={'Authorization': 'wrong'})
try: urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request)
except urllib.error.HTTPError as error: print(error.read(), error.headers, address)
---
get_ipython().history_manager.writeout_cache()
"""
DASK = """
import logging, distributed
cluster = distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None, processes=True)
client = distributed.Client(cluster)
print(cuaws.dask.share(client), cuaws.dask.who(client), client.scheduler_info())
print(client.run(lambda: __import__('logging').getLogger('distributed').debug('x')))
print(client.get_worker_logs(), client.get_scheduler_logs(), client.run_on_scheduler(lambda dask_scheduler: repr(
    vars(dask_scheduler).get('worker_plugins')))[:300])
print(cuaws.dask.unshare(client))
client.close(); cluster.close()
"""
FAULTS = ["500", "403", "401", "malformed", "empty", "reset"]
OPERATIONS = [
    "RegisterClient", "StartDeviceAuthorization", "CreateToken", "GetRoleCredentials", "ListAccounts", "Logout",
    "sts:GetCallerIdentity",
]  # fmt: skip


def everything_shown(cells: list[Cell]) -> str:
    return json.dumps([[cell.outputs, cell.ever, cell.reply] for cell in cells], default=str)


def everything_written(home: Path) -> dict[str, str]:
    """All files but those whose purpose it is to hold secrets, which only their owner can read."""
    meant = (".aws/sso/cache/", ".aws/cli/cache/", ".aws/credentials", "work/keys.env", "/endpoint/")
    found = {}
    for path in home.rglob("*"):
        name = path.relative_to(home).as_posix()
        if path.is_file():
            if any(one in f"/{name}" or name.startswith(one) for one in meant):
                assert path.stat().st_mode & 0o077 == 0, name
            else:
                found[name] = path.read_bytes().decode("utf-8", "replace")
    return found


def test_every_command_is_here() -> None:
    """A new command has to be looked at too."""
    assert set(COMMANDS) == set(Grammar()._commands)


@pytest.mark.parametrize("mode", ["Plain", "Context", "Verbose", "Minimal"])
def test_nothing_leaks(start_kernel, portal: PracticePortal, mode: str) -> None:
    """In outputs, replies, tracebacks, `In` and `Out`, the history, logs, files, the list of processes: no secret."""
    kernel: Kernel = start_kernel().load()
    temporary = kernel.home / "tmp"
    temporary.mkdir()
    marks = Marks(portal, kernel.home)
    portal.knobs = Knobs(approve_after=1, interval=0)
    cells = [
        kernel.good(f"import tempfile; tempfile.tempdir = {str(temporary)!r}"),
        kernel.good("import logging; logging.basicConfig(level='DEBUG', filename='debug.log', force=True)"),
        kernel.good(f"%xmode {mode}"),
        kernel.good("%cuaws status"),
        kernel.good("from cuaws_magic.ipython import masked_output; masked_output.unmask()"),
    ]

    def run(*codes: str) -> None:
        for code in codes:
            cell = kernel.send(code)
            if "%cuaws paste" in code:
                kernel.asked()
                kernel.answer(pasted)
            cells.append(kernel.finish(cell))
            marks.collect()

    pasted = ""
    for name, codes in COMMANDS.items():
        if name == "paste":
            pasted = (kernel.home / "work" / "keys.env").read_text().replace("\n", " ")
        run(*codes)
        if name == "use":
            run(*LOOKS.split("---\n"), *([DASK] if mode == "Plain" else []))
            shown_by_ps = subprocess.run(
                ["ps", "axww", "-o", "args"], capture_output=True, text=True, check=True
            ).stdout
    for operation in OPERATIONS:
        for kind in FAULTS if mode == "Verbose" else FAULTS[:1]:
            portal.knobs = Knobs(approve_after=1, interval=0, failures=(Failure(operation, 1, kind),))
            run("%cuaws login --force --timeout 3", f"%cuaws use {A}", "%cuaws accounts --refresh", "%cuaws logout")
    run("print([repr(In), repr(Out)])", "%history -o", "%history -g cuaws", "%whos", "%tb")
    statuses = [cell.status for cell in cells]
    kernel.end(now=False)

    assert len(marks.values) > 30
    assert {"ok", "error"} <= set(statuses)
    assert marks.found_in(everything_shown(cells)) == []
    assert {
        name: found for name, text in everything_written(kernel.home).items() if (found := marks.found_in(text))
    } == {}
    assert marks.found_in(shown_by_ps) == []
    assert "botocore" in (kernel.home / "work" / "debug.log").read_text()


def test_a_notebook_that_is_saved_with_the_state_of_its_widgets(start_kernel, portal: PracticePortal) -> None:
    """nbclient saves it: the panel's state, pressed and drawn anew, has no secret."""
    kernel: Kernel = start_kernel()
    portal.knobs = Knobs(approve_after=1, interval=0)
    marks = Marks(portal, kernel.home)

    notebook, error = kernel.run_all(
        "%load_ext cuaws_magic\n%cuaws login",
        f"%cuaws use {A}",
        "from cuaws_magic.widget.view import open_panel\nfrom cuaws_magic.views.render import Cell\n"
        "context = get_ipython().magics_manager.registry['CuawsMagics'].context\n"
        "view = open_panel(context, Cell('a', 'b'))\nview",
        f"%cuaws use {B}",
    )
    marks.collect()

    assert error is None
    state = notebook.metadata.get("widgets", {})
    assert "application/vnd.jupyter.widget-state+json" in state
    assert marks.found_in(nbformat.writes(notebook)) == []
    assert os.environ.get("AWS_SECRET_ACCESS_KEY") is None
