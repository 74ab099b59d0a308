"""A cell with keys in it, on a real page of JupyterLab: it is replaced, and what is saved too, whatever came of it."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from doubles import App, RecordingShow

from cuaws_magic.practice import Knobs

if TYPE_CHECKING:
    from collections.abc import Callable

    from browser.hub import Hub
    from browser.lab import Lab

    from cuaws_magic.practice import PracticePortal

LOAD, WHO = "%load_ext cuaws_magic", 'import boto3; print(boto3.client("sts").get_caller_identity()["Account"])'
SOURCE = "number => window.jupyterapp.shell.currentWidget.content.widgets[number].model.sharedModel.getSource()"
TYPE = """([number, text]) => {
    window.jupyterapp.shell.currentWidget.content.widgets[number].model.sharedModel.setSource(text);
}"""


@pytest.fixture(params=["python3", "ipykernel6"])
def kernel(request: pytest.FixtureRequest, hub: Hub) -> str:
    """This ipykernel, and the line before."""
    if request.param not in hub.kernels:
        pytest.skip(f"{request.param} is not there. Type `sh scripts/browser_parts.sh`.")
    return request.param


@pytest.fixture
def keys(portal: PracticePortal, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Keys as the portal's page gives them; nobody in the hub has signed in for them."""
    for name, value in portal.environment.items():
        monkeypatch.setenv(name, value)
    portal.knobs = Knobs(approve_after=1)
    exported = App(environ=dict(os.environ)).export(RecordingShow(), "awsucob0myaccount", "process")
    portal.knobs = Knobs()
    values = json.loads(exported.reveal())
    return {name: values[name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")}


def lines(keys: dict[str, str]) -> str:
    return (
        f'export AWS_ACCESS_KEY_ID="{keys["AccessKeyId"]}"\nexport AWS_SECRET_ACCESS_KEY="{keys["SecretAccessKey"]}"\n'
        f'export AWS_SESSION_TOKEN="{keys["SessionToken"]}"\n'
    )


def saved(lab: Lab) -> str:
    """Save the notebook; returns the file when it is written."""
    before = lab.path.stat().st_mtime_ns
    lab.save()
    for _ in range(100):
        if lab.path.stat().st_mtime_ns != before:
            break
        lab.page.wait_for_timeout(100)
    return lab.saved


def assert_gone(lab: Lab, hub: Hub, keys: dict[str, str]) -> None:
    """Not on the page, not in the notebook, not in any file of the home: the history is one of them."""
    wanted = [part for value in keys.values() for part in (value[:16], value[-16:])]
    page = lab.page.content()
    notebook = saved(lab)
    assert not [one for one in wanted if one in page]
    assert not [one for one in wanted if one in notebook]
    files = [path for path in hub.home("ralphie").rglob("*") if path.is_file()]
    assert any(path.name == "history.sqlite" for path in files)
    assert [path.name for path in files if any(one.encode() in path.read_bytes() for one in wanted)] == []


def test_the_keys_leave_the_page(open_lab: Callable, hub: Hub, keys: dict[str, str], kernel: str) -> None:
    """They work in the kernel, and the cell says where they went."""
    lab = open_lab(LOAD, "", WHO, kernel=kernel)
    lab.run(0)
    lab.finished(0)
    lab.page.evaluate(TYPE, [1, f"%%cuaws paste\n{lines(keys)}"])

    lab.run(1)
    said = lab.finished(1)
    lab.page.wait_for_function(f"({SOURCE})(1).includes('The keys that were here are now in this kernel')")
    lab.run(2)

    assert lab.finished(2).strip() == "111111111111"
    assert "ralphie@colorado.edu" in said
    assert_gone(lab, hub, keys)


def test_refused_keys_leave_it_too(open_lab: Callable, hub: Hub, keys: dict[str, str], kernel: str) -> None:
    """ "Run all": the refusal is an error on the page, the cell is replaced, and the cells behind it do not run."""
    lab = open_lab(LOAD, "", "print('ran on')", kernel=kernel)
    lab.page.evaluate(TYPE, [1, f"%%cuaws paste\n{lines(keys)[:-60]}"])

    lab.page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    lab.output(1).get_by_text("access portal").wait_for()
    lab.page.wait_for_function(f"({SOURCE})(1).includes('was refused and has been removed from this page')")
    lab.page.wait_for_timeout(1000)

    assert "ran on" not in lab.output(2).inner_text()
    assert_gone(lab, hub, keys)


def test_the_hidden_prompt(open_lab: Callable, hub: Hub, keys: dict[str, str], kernel: str) -> None:
    """A password field, into which the portal's lines are pasted as they are."""
    lab = open_lab(f"{LOAD}\n%cuaws paste", kernel=kernel)
    lab.run(0)
    field = lab.page.locator(".jp-Stdin-input")
    field.wait_for()

    kind = field.get_attribute("type")
    lab.page.evaluate("text => navigator.clipboard.writeText(text)", lines(keys))
    field.press("Control+V")
    field.press("Enter")
    lab.output(0).get_by_text("ralphie@colorado.edu").first.wait_for()

    assert kind == "password"
    assert_gone(lab, hub, keys)
