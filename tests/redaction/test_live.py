"""Masking of what this kernel holds: only that, whole or cut, and never at the cost of an output."""

from __future__ import annotations

import itertools
import json
import string
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuaws_magic.model import Secret
from cuaws_magic.redaction.live import MASK, Masker

KEY = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYsEcReTkEy1"
TOKEN = "IQoJ" + "b3JpZ2luX2Vj/+" * 20 + "=="


def masker(*secrets: str) -> Masker:
    return Masker(lambda: [Secret(one) for one in secrets])


@pytest.mark.parametrize(
    "text",
    [KEY, f"key={KEY}", repr({"k": KEY}), json.dumps({"a": [TOKEN]}), f"?t={quote(TOKEN, safe='')}&x", f"{KEY}{TOKEN}"],
)
def test_it_is_masked_wherever_it_stands(text):
    """In a text, in what is made of texts; as it is, and as an address has it."""
    masked = masker(KEY, TOKEN).masked({"data": {"text/plain": text, "application/json": {"a": [text, 1]}}})

    assert KEY not in str(masked)
    assert TOKEN not in str(masked)
    assert quote(TOKEN, safe="") not in str(masked)
    assert MASK in masked["data"]["text/plain"]
    assert masked["data"]["application/json"]["a"][1] == 1


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=60),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_what_has_no_secret_is_the_very_same(value):
    """Nothing is copied, nothing changed."""
    assert masker(KEY, TOKEN).masked(value) is value


@settings(max_examples=300)
@given(
    st.lists(st.text(string.ascii_letters + "/+ \n", max_size=30) | st.just(KEY) | st.just(KEY[:20]), max_size=8),
    st.lists(st.integers(0, 300), max_size=12),
)
def test_however_a_text_is_cut_into_pieces(parts, cuts):
    """What comes out is what the whole text masked would be; what is held back comes out at the end."""
    text = "".join(parts)
    ours = masker(KEY)
    places = sorted({0, len(text), *(one for one in cuts if one < len(text))})
    out, held = "", ""
    for start, end in itertools.pairwise(places):
        piece = ours.masked(held + text[start:end])
        back = ours.held_back(piece)
        out, held = out + piece[: len(piece) - back], piece[len(piece) - back :]

    assert out + held == text.replace(KEY, MASK)
    assert KEY not in out


def test_what_is_short_is_no_secret():
    """A word of a few letters would be masked in every text."""
    assert masker("short").masked("short") == "short"


def test_new_secrets_count_at_once():
    """After a renewal the new keys are masked, and the old ones as long as the kernel holds them."""
    held = [Secret(KEY)]
    ours = Masker(lambda: held)
    assert ours.masked(KEY) == MASK
    held[:] = [Secret(TOKEN)]
    assert ours.masked(TOKEN) == MASK
    assert ours.masked(KEY) == KEY
