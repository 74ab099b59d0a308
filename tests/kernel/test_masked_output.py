"""Live secrets off the page, in a real kernel: every kind of output, and the ways that want them shown."""

from __future__ import annotations

import json

import pytest

KEYS = "import os; key, token = os.environ['AWS_SECRET_ACCESS_KEY'], os.environ['AWS_SESSION_TOKEN']"
MASK = "[masked by cuaws_magic]"


@pytest.fixture
def used(start_kernel):
    """A kernel with an account in use, and its secrets, as no output says them."""
    kernel = start_kernel()
    kernel.good("%load_ext cuaws_magic")
    kernel.good("%cuaws use awsucob0myaccount")
    kernel.good(KEYS)
    codes = kernel.good("print([list(map(ord, key)), list(map(ord, token))])").text
    return kernel, ["".join(map(chr, one)) for one in json.loads(codes)]


WAYS = {
    "print": "print(dict(os.environ))",
    "stderr": "import sys; print(token, file=sys.stderr)",
    "a result": "{'key': key, 'token': token}",
    "a display": "from IPython.display import display, HTML; display(HTML(f'<b>{key}</b>'))",
    "an update": "from IPython.display import display; h = display('x', display_id=True); h.update(token)",
    "a traceback": "raise ValueError(key)",
    "a traceback of frames": "def f(secret): raise KeyError(token)\nf(key)",
    "verbose": "%xmode Verbose\ndef f(secret): 1 / 0\nf(key)",
    "a log": "import logging; logging.warning('%s', key)",
    "a child": "!env | grep AWS_ ; echo $AWS_SECRET_ACCESS_KEY; python -c 'import os; print(os.environ)'",
    "a child that is given it": "import subprocess, sys; subprocess.run(['echo', key]); print(key)",
    "a thread": "import threading; t = threading.Thread(target=print, args=(token,)); t.start(); t.join()",
    "an address": "from urllib.parse import quote; print('https://x/?t=' + quote(token, safe=''))",
    "cut by a flush": (
        "import sys, time\nfor part in (token[:50], token[50:51], token[51:]):\n"
        "    sys.stdout.write(part); sys.stdout.flush()"
    ),
    "in an Output widget": (
        "import ipywidgets as w\nfrom IPython.display import display\no = w.Output()\ndisplay(o)\nwith o: print(key)"
    ),
    "JSON": "from IPython.display import JSON, display; display(JSON({'deep': [{'k': key}]}))",
    "the inspector": "key?",
}


@pytest.mark.parametrize("way", WAYS)
def test_it_is_masked(used, way):
    """No message of the cell has it, and the line that says so comes once."""
    kernel, secrets = used

    cell = kernel.run(WAYS[way])

    everything = json.dumps([cell.outputs, cell.ever, cell.reply], default=str)
    assert not [one for one in secrets if one in everything]
    if way != "a child":
        assert MASK in everything
    again = kernel.run("print(key)")
    said = [one for one in (everything, json.dumps(again.outputs, default=str)) if "was masked in this output" in one]
    assert len(said) == 1


def test_who_insists_sees_it(used):
    """`reveal()` shows what was masked last; `export --show` is what a person asked for."""
    kernel, secrets = used
    kernel.good("print('it is', key)")

    assert secrets[0] in kernel.good("import cuaws_magic; cuaws_magic.reveal()").text
    assert secrets[0] in kernel.good("%cuaws export --show").text
    kernel.good("text = cuaws_magic.export().reveal()")
    assert secrets[0] not in kernel.good("print(text)").text


def test_nothing_to_reveal(used):
    """A clear line."""
    kernel, _ = used

    assert "Nothing was masked in this kernel" in kernel.run("import cuaws_magic; cuaws_magic.reveal()").error


def test_other_output_is_as_it_was(used):
    """Progress that ends like a secret begins, many lines, an unfinished one: all of it comes, in its order."""
    kernel, secrets = used

    cell = kernel.good(
        "import sys, time\nfor n in range(300): sys.stdout.write(f'{n} {token[:3]}\\r' if n % 3 else f'{n}\\n')\n"
        "sys.stdout.write(key[:7]); sys.stdout.flush(); time.sleep(0.8); print(token[:9], end='')"
    )

    token = secrets[1][:3]
    wanted = "".join(f"{n} {token}\r" if n % 3 else f"{n}\n" for n in range(300)) + secrets[0][:7] + secrets[1][:9]
    assert "".join(one["text"] for one in cell.outputs if one["output_type"] == "stream") == wanted


def test_a_fault_of_ours_loses_no_output(used):
    """Whatever goes wrong while it is looked for, what was shown is shown."""
    kernel, _ = used
    kernel.good(
        "from cuaws_magic.ipython import masked_output as m\ndef broken(): raise OSError('x')\n"
        "m._MASKED[0]._masker._secrets = broken"
    )

    cell = kernel.run("import sys\nprint('out'); print('err', file=sys.stderr)\ndisplay('shown')\n'result'")

    assert {"out", "err", "'shown'", "'result'"} <= set(cell.text.split())
    assert kernel.run("raise ValueError('the reason')").outputs[-1]["evalue"] == "the reason"


def test_after_it_is_unloaded(used):
    """The kernel is as it was found."""
    kernel, _ = used

    kernel.good("%unload_ext cuaws_magic")

    assert kernel.value("'send' in vars(get_ipython().kernel.session)") is False
