"""
A Jupyter Server extension: secrets of AWS are taken out of a notebook as it is saved. Off unless it is enabled.

    jupyter server extension enable cuaws_magic.integrations.server_extension

or, in `jupyter_server_config.py`, for a hub or where the environment cannot be written:

    c.ServerApp.jpserver_extensions = {"cuaws_magic.integrations.server_extension": True}

It is one more hook beside those that others have (`register_pre_save_hook`), and changes what is written, not the page.
Whatever goes wrong in it, the notebook is saved as it is, and the server's log has a line.
"""

from __future__ import annotations

import json
from typing import Any

from cuaws_magic.redaction.known import KnownSecrets
from cuaws_magic.redaction.notebook import scrubbed
from cuaws_magic.state_store import StateStore


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(server: Any) -> None:
    """Add the hook to whatever saves this server's notebooks."""
    state_store, log = StateStore.default(), server.log

    def scrub_before_save(model: dict[str, Any], path: str = "", **_: Any) -> None:
        try:
            if model.get("type") == "notebook" and model.get("content") is not None:
                removed = _scrub(model, state_store)
                if removed:
                    log.warning("cuaws_magic: %d secret(s) of AWS taken out of %s as it was saved", removed, path)
        except Exception as error:  # noqa: BLE001 - a notebook is saved, whatever happens here
            log.warning("cuaws_magic: %s was saved as it is (%s)", path, type(error).__name__)

    server.contents_manager.register_pre_save_hook(scrub_before_save)


def _scrub(model: dict[str, Any], state_store: StateStore) -> int:
    """Take secrets out of what is about to be saved; returns how many there were."""
    clean, removed = scrubbed(json.dumps(model["content"]), KnownSecrets(state_store).lookup())
    if removed:
        model["content"] = json.loads(clean)
    return len(removed)
