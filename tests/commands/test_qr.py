"""The link of a sign-in as a QR code: read back by a decoder, gone with the code."""

from __future__ import annotations

import base64
import dataclasses
import io
import re
import sys

import numpy as np
import pytest
import zxingcpp
from doubles import RecordingShow
from PIL import Image

from cuaws_magic.commands.callback import Wanted
from cuaws_magic.errors import ConfigurationError
from cuaws_magic.views.sign_in import AwaitingApproval


@pytest.fixture
def card(app, portal):
    """The card of a sign-in with `--qr`, and the page as it is afterwards."""
    portal.knobs = dataclasses.replace(portal.knobs, approve_after=2, interval=0)
    show = RecordingShow()
    app.login(show, wanted=Wanted(qr=True))
    (found,) = [view for view in show.views if isinstance(view, AwaitingApproval)]
    return found, show


def read(picture):
    """Decode a picture in grey."""
    (found,) = zxingcpp.read_barcodes(picture)
    return found.text


def test_on_the_page(card):
    """A picture with a light margin, in every theme, with words for those who do not see it."""
    view, _ = card
    html = view.mimebundle()["text/html"]
    data = re.search(r'src="data:image/png;base64,([^"]+)"', html)[1]

    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("L"))

    assert read(picture) == view.authorization.verification_uri_complete
    assert 'alt="QR code: the sign-in page, for your phone"' in html


def test_in_a_terminal(card):
    """Two modules a sign; on a dark terminal what is drawn is light."""
    view, _ = card
    lines = [line[7:] for line in view.mimebundle()["text/plain"].splitlines() if set(line) & set("▀▄█")]
    light = {" ": (0, 0), "▀": (255, 0), "▄": (0, 255), "█": (255, 255)}
    width = max(map(len, lines))
    rows = [[light[sign][half] for sign in line.ljust(width)] for line in lines for half in (0, 1)]

    picture = np.kron(np.array(rows, np.uint8), np.ones((6, 6), np.uint8))

    assert read(picture) == view.authorization.verification_uri_complete


def test_it_goes_with_the_code(card):
    """What stands on the page afterwards has no picture."""
    _, show = card

    assert "image/png" not in show.views[-1].mimebundle()["text/html"]
    assert not set("▀▄█") & set(repr(show.views[-1]))


def test_only_where_it_is_wanted(app, portal):
    """Without `--qr` there is none."""
    portal.knobs = dataclasses.replace(portal.knobs, approve_after=2, interval=0)
    show = RecordingShow()
    app.login(show)

    assert "image/png" not in "".join(view.mimebundle()["text/html"] for view in show.views)


def test_an_output_without_such_signs(card, monkeypatch):
    """A console of an old code page has the link alone, not a square of question marks."""
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), "cp1252"))

    plain = card[0].mimebundle()["text/plain"]

    assert not set("▀▄█") & set(plain)
    assert card[0].authorization.verification_uri_complete in plain


def test_not_by_authorization_code(app, portal):
    """A phone cannot come back to this computer; it says what can be typed."""
    with pytest.raises(ConfigurationError, match="Type `%cuaws login --qr`"):
        app.login(RecordingShow(), wanted=Wanted(pkce=True, qr=True))

    portal.knobs = dataclasses.replace(portal.knobs, approve_after=1)
    assert app.login(RecordingShow(), wanted=Wanted(qr=True)).until


def test_a_setting_for_authorization_codes_gives_way(app, portal, monkeypatch):
    """`--qr` is by device code, whatever is set."""
    monkeypatch.setenv("CUAWS_PKCE", "1")
    show = RecordingShow()
    show.beside_browser = False

    app.login(show, wanted=Wanted(qr=True))

    assert portal.count("StartDeviceAuthorization") == 1
