"""It remembers: `use` alone, `use -`, per notebook and home; what a notebook is made for; regions that were said."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import nbformat
import pytest
from doubles import THE_GUIDES_SIGN_IN, App, RecordingShow, sso_profile

from cuaws_magic.errors import UnknownTarget

ACCOUNT, OTHER = "awsucob0myaccount", "awsucob0myotheraccount"
ID, OTHER_ID = "111111111111", "222222222222"


@pytest.fixture
def show():
    return RecordingShow()


@pytest.fixture
def notebook(home, monkeypatch):
    """Return a notebook of that name, which the kernel is said to be of."""

    def make(name="today.ipynb", **stamp):
        path = home / name
        made = nbformat.v4.new_notebook()
        if stamp:
            made.metadata["cuaws"] = stamp
        nbformat.write(made, path)
        monkeypatch.setenv("JPY_SESSION_NAME", str(path))
        return path

    return make


def test_use_alone_takes_what_was_used_last(app, show):
    """Tomorrow's kernel is one word away from yesterday's account, role and region."""
    app.use(show, ACCOUNT, region="eu-west-1")
    app.release()

    tomorrow = App()
    used = tomorrow.use(show, None)

    assert (used.account, used.role, used.region) == (ID, "MyRole", "eu-west-1")
    tomorrow.release()


def test_dash_takes_the_one_before_and_back(app, show):
    """As `cd -` does."""
    app.use(show, ACCOUNT)
    app.use(show, OTHER)

    assert [app.use(show, "-").account for _ in range(3)] == [ID, OTHER_ID, ID]


def test_nothing_to_remember(app, show):
    """A line that says what to type."""
    with pytest.raises(UnknownTarget, match=r"No account was used here before. To see yours, type `%cuaws accounts`"):
        app.use(show, None)
    app.use(show, ACCOUNT)
    with pytest.raises(UnknownTarget, match="Only one account was used here"):
        app.use(show, "-")


def test_each_notebook_has_its_own(app, show, notebook):
    """Another notebook's account is taken only where a notebook has none of its own."""
    notebook("a.ipynb")
    app.use(show, ACCOUNT)
    notebook("b.ipynb")
    first = app.use(show, None)
    app.use(show, OTHER)
    notebook("a.ipynb")

    assert first.account == ID
    assert app.use(show, None).account == ID
    notebook("b.ipynb")
    assert app.use(show, None).account == OTHER_ID


def test_an_id_in_place_of_a_path(app, show, monkeypatch):
    """Some servers say an id; then the home's memory counts."""
    app.use(show, ACCOUNT)
    monkeypatch.setenv("JPY_SESSION_NAME", "5f2c4d1e-0000-4000-8000-000000000000")

    assert app.use(show, None).account == ID


def test_a_profile_is_remembered_by_its_name(app, show, home):
    """An SSO profile of the guide, with its own region."""
    (home / ".aws").mkdir()
    (home / ".aws" / "config").write_text(THE_GUIDES_SIGN_IN + sso_profile("lab", ID, "MyRole", "eu-north-1"))
    app.use(show, "lab")
    app.use(show, OTHER)

    used = app.use(show, "-")

    assert (used.account, used.region) == (ID, "eu-north-1")


def test_a_region_is_remembered_as_the_role_is(app, show):
    """`--region` once; the next `use` of that account, by any of its names, has it."""
    app.use(show, ACCOUNT, region="ap-south-1")
    app.use(show, OTHER)

    assert app.use(show, ID).region == "ap-south-1"
    assert app.use(show, ACCOUNT, region="us-east-2").region == "us-east-2"
    assert app.use(show, ACCOUNT).region == "us-east-2"
    assert app.use(show, ACCOUNT).region == "us-east-2"
    assert app.use(show, OTHER).region == "us-west-2"


def test_what_a_notebook_is_made_for(app, show, notebook):
    """Its author's account is what `use` alone means; another one gets a line."""
    notebook(account=OTHER, role="MyOtherRole", region="eu-west-3")
    app.use(show, ACCOUNT)

    used = app.use(show, None)
    another = app.use(show, ACCOUNT)

    assert (used.account, used.role, used.region, used.notes) == (OTHER_ID, "MyOtherRole", "eu-west-3", ())
    assert another.notes == (f"This notebook was made for {OTHER} as MyOtherRole. To use that, type `%cuaws use`.",)


@pytest.mark.parametrize("stamp", [OTHER_ID, "2222-2222-2222", OTHER.upper()])
def test_any_form_of_the_account(app, show, notebook, stamp):
    """By its number, in any case."""
    notebook(account=stamp)

    assert app.use(show, None).notes == ()
    assert app.use(show, OTHER).notes == ()


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"metadata": []}', '{"metadata": {"cuaws": 1}}', '{"metadata": {"cuaws": {"account": 7}}}',
     '{"metadata": {"cuaws": {"account": ""}}}'],
)  # fmt: skip
def test_a_notebook_that_is_none(app, show, notebook, text):
    """What cannot be read says nothing."""
    notebook().write_text(text)
    app.use(show, ACCOUNT)

    assert app.use(show, None).account == ID


def test_a_memory_that_is_damaged(app, show):
    """It is as if nothing had been remembered."""
    app.use(show, ACCOUNT)
    for path in app.state_store.folder.glob("last-*.json"):
        path.write_text(json.dumps({"uses": [1, {"target": 3}, {"target": "x", "name": "y", "role": 1}]}))

    with pytest.raises(UnknownTarget, match="No account was used here before"):
        App().use(show, None)


def test_nothing_secret_is_remembered(app, show):
    """Names and numbers."""
    app.use(show, ACCOUNT)
    keys = app.credentials.current.credentials

    text = "".join(path.read_text() for path in app.state_store.folder.glob("last-*.json"))

    assert ID in text
    assert keys.secret_access_key.reveal() not in text
    assert keys.access_key_id.reveal() not in text


def test_pasted_keys_are_not_remembered(app, show):
    """They cannot be had again."""
    text = app.export(show, f"{ID}/MyRole", "env").reveal()
    app.paste(text)

    with pytest.raises(UnknownTarget):
        app.use(show, None)


def test_a_cell_without_an_account_is_told_which(app, show):
    """The line below `NoCredentialsError` names the account that was used last."""
    from botocore.exceptions import NoCredentialsError

    app.use(show, ACCOUNT)
    app.release()

    hint = App().hints.after(NoCredentialsError())

    assert hint.sentences == (f"Type `%cuaws use {ACCOUNT}`, then run this cell again.",)


def stamp(*words):
    return subprocess.run(
        [sys.executable, "-m", "cuaws_magic", "stamp", *words],
        capture_output=True, text=True, check=False, timeout=60, env=dict(os.environ),
    )  # fmt: skip


def test_the_stamp(app, show, notebook):
    """Written and taken out from the command line; the rest of the notebook stays."""
    path = notebook()
    before = path.read_bytes()

    written = stamp(str(path), "--account", OTHER, "--role", "MyOtherRole")
    used = app.use(show, None)
    removed = stamp(str(path), "--remove")

    assert written.stdout == f"{path} is made for {OTHER} as MyOtherRole: `%cuaws use` alone means that.\n"
    assert used.account == OTHER_ID
    assert removed.returncode == 0
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [None, "no notebook"])
def test_a_stamp_on_something_else(home, content):
    """One line, exit 1, and nothing is changed."""
    path = home / "file.ipynb"
    if content is not None:
        path.write_text(content)

    done = stamp(str(path), "--account", "lab")

    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert (path.read_text() if path.exists() else None) == content
