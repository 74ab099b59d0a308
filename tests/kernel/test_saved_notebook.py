"""What is left on disk: no code, key or secret in the notebook, its HTML, `In` or the history."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import nbformat
from nbconvert import HTMLExporter

from cuaws_magic.practice import Knobs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cuaws_magic.practice import PracticePortal

_SECRET_KEYS = {
    "accessToken", "refreshToken", "clientId", "clientSecret", "AccessKeyId", "SecretAccessKey", "SessionToken",
}  # fmt: skip


def _secrets(portal: PracticePortal, home: Path) -> dict[str, str]:
    """Return everything that nobody may read, by value: the portal's memory and the caches of the home."""
    found = {}
    for path in (home / ".aws").rglob("*.json"):
        found |= {value: f"{key} of {path.name}" for key, value in _walk(json.loads(path.read_bytes()))}
    # The portal's own memory: there is no public way to a device code, and there should be none.
    for authorization in portal._state._authorizations.values():
        found[authorization.device_code] = "device code"
        found[authorization.user_code] = "user code"
    found |= dict.fromkeys(portal._state._sso_tokens, "SSO token")
    found |= dict.fromkeys(portal._state._refresh_tokens, "refresh token")
    return found


def _walk(content: dict) -> Iterator[tuple[str, str]]:
    for key, value in content.items():
        if isinstance(value, dict):
            yield from _walk(value)
        elif key in _SECRET_KEYS:
            yield key, value


def test_nothing_secret_is_saved(kernel, portal: PracticePortal, tmp_path: Path):
    """A notebook of the main job, errors included, keeps nothing secret anywhere that is written or remembered."""
    portal.knobs = Knobs(approve_after=2)

    notebook, error = kernel.run_all(
        "signed_in = %cuaws login\nsigned_in",
        "in_use = %cuaws use awsucob0myaccount\nprint(repr(in_use))\nin_use",
        "%cuaws",
        "x = %cuaws whoami\nprint(x)\nx",
        "%cuaws accounts --roles",
        "import logging, sys; print([name for name in logging.root.manager.loggerDict if 'cuaws' in name])",
        "%cuaws use nowhere",
    )
    secrets = _secrets(portal, kernel.home)
    kernel.good("%cuaws logout")
    remembered = kernel.value("[*map(str, In), *map(str, Out.values()), repr(get_ipython().user_ns)]")
    kernel.end(now=False)
    saved = tmp_path / "saved.ipynb"
    nbformat.write(notebook, saved)
    page, _ = HTMLExporter().from_notebook_node(notebook)
    own_state = [path for path in (kernel.home / ".local").rglob("*") if path.is_file()]
    history = kernel.home / ".ipython" / "profile_default" / "history.sqlite"

    assert error is not None
    kinds = " ".join(secrets.values())
    for kind in ("device code", "user code", "SSO token", "refresh token", "clientSecret", "SecretAccessKey"):
        assert kind in kinds
    assert b"cuaws" in b"".join(path.read_bytes() for path in history.parent.glob("history.sqlite*"))
    places = {
        "notebook": saved.read_bytes(),
        "page": page.encode(),
        "kernel": "\n".join(remembered).encode(),
        "log": (kernel.home / "kernel.log").read_bytes(),
        **{path.name: path.read_bytes() for path in [*history.parent.glob("history.sqlite*"), *own_state]},
    }
    leaks = [
        (place, kind) for place, data in places.items() for value, kind in secrets.items() if value.encode() in data
    ]
    # Run by nbclient, nobody sees the page: the code goes to the terminal, where somebody may approve it.
    assert leaks == [("log", "user code")]
    assert b"Signed in for" in places["notebook"]
    assert "<script>(function(){" not in page


def test_only_the_final_card_is_saved(kernel, portal: PracticePortal):
    """The notebook file has one output for a sign-in: the last state of the card, in both faces."""
    portal.knobs = Knobs(approve_after=2)

    notebook, error = kernel.run_all("%cuaws login")

    assert error is None
    (output,) = notebook.cells[0].outputs
    assert output.output_type == "display_data"
    assert sorted(output.data) == ["text/html", "text/plain"]
    assert "Signed in for" in output.data["text/plain"]


def test_files_are_private(kernel):
    """Every file with a secret is readable by its owner only."""
    kernel.good("%cuaws use awsucob0myaccount")

    kept = list((kernel.home / ".aws").rglob("*.json"))

    assert len(kept) == 3
    if os.name == "posix":
        assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}


def test_a_panel_in_a_page_without_widgets_says_what_to_type(kernel):
    """What nbconvert makes of `%cuaws panel` has the commands, as text and as HTML."""
    notebook, error = kernel.run_all("%cuaws panel")

    page, _ = HTMLExporter(template_name="basic").from_notebook_node(notebook)
    said = notebook.cells[0].outputs[-1].data

    assert error is None
    assert "%cuaws login" in said["text/plain"]
    assert "%cuaws login" in said["text/html"]
    assert "%cuaws login" in page
