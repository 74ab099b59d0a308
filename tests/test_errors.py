"""The tree of errors is the one that is drawn, and every message ends with what to do."""

from __future__ import annotations

import ast
import re
import traceback
from pathlib import Path

import pytest

from cuaws_magic import errors
from cuaws_magic.errors import Cancelled, CuawsError, NotSignedIn, Signal
from cuaws_magic.sso.session import CU_BOULDER

HOUSE = Path(errors.__file__).parent
CLASSES = {name: one for name, one in vars(errors).items() if isinstance(one, type) and issubclass(one, BaseException)}

# The last sentence of a message has a command in backticks, or tells what to do.
WHAT_TO_DO = re.compile(
    r"`[^`]+`|(then|and) run the cell again"
    r"|(^|[:,] )(Add|Check|Choose|Close|Correct|Delete|Leave|Make|Name|Open|Run|Set|Take|Type|Use|Wait)\b",
    re.IGNORECASE,
)


def drawn():
    """Read the tree from the module's docstring: name → its parent's name."""
    parents, path = {}, []
    for line in errors.__doc__.split("```")[1].splitlines():
        found = re.match(r"([│ ├└─]*)([A-Z]\w+)( \((\w+)\))?", line)
        if found:
            depth = len(found[1]) // 4
            path[depth:] = [found[2]]
            parents[found[2]] = path[depth - 1] if depth else found[4] or "Exception"
    return parents


def messages():
    """Find every text that is given to an error of the tree: (place, text with … for what differs)."""
    for path in sorted(HOUSE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args):
                continue
            if node.func.id in CLASSES and not issubclass(CLASSES[node.func.id], Signal):
                text = _text(node.args[0])
                if text is not None:
                    yield pytest.param(text, id=f"{path.relative_to(HOUSE)}-{node.lineno}")


def _text(node):
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
    return None


def test_the_tree_is_as_drawn():
    """Each error stands in the drawing of the module's docstring below the one that it is a kind of."""
    actual = {name: one.__base__.__name__ for name, one in CLASSES.items()}

    assert actual == drawn()


def test_signals_are_no_errors_for_a_person():
    """`except CuawsError` never swallows a turn of a protocol, nor a person's Ctrl-C."""
    assert not issubclass(Signal, CuawsError)
    assert not issubclass(Cancelled, Exception)
    assert issubclass(Cancelled, KeyboardInterrupt)


@pytest.mark.parametrize(
    "error", [CuawsError("what happened"), NotSignedIn("what happened", CU_BOULDER), Cancelled("what happened")]
)
def test_an_error_is_one_line_in_a_notebook(error):
    """IPython shows one line, with the kind and the message, where it would show a traceback."""
    assert error._render_traceback_() == ["what happened"]  # IPython's protocol


@pytest.mark.parametrize(
    "kind", [CuawsError, lambda text: NotSignedIn(text, CU_BOULDER), Cancelled], ids=["any", "with more", "cancelled"]
)
def test_an_error_is_nothing_that_a_terminal_obeys(kind):
    """The name of an account, or whatever comes from elsewhere, is shown; it sets no title and clears no screen."""
    error = kind("no role in \x1b]0;pwned\x07\x1b[2J\x9b31m\u202eevil\nCuawsError: all is well\r, café 名")

    for shown in (str(error), *error._render_traceback_(), *traceback.format_exception_only(error)):
        assert shown.rstrip("\n").isprintable()
        assert "pwned" in shown
        assert "café 名" in shown


def test_not_signed_in_knows_to_what():
    """Who gets it can have the right sign-in approved."""
    assert NotSignedIn("x", CU_BOULDER).sso_session is CU_BOULDER


@pytest.mark.parametrize("text", list(messages()))
def test_every_message_ends_with_what_to_do(text):
    """A message says what happened and then what to type."""
    last = re.split(r"(?<=\w|…|`|\)|\])[.;] (?=[A-Z`])", text)[-1]

    assert WHAT_TO_DO.search(last) or last.endswith(". …"), last  # one of two ends: `tests/test_advice_walks.py`
