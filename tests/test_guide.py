"""
The guide, step by step: what takes the place of each, and the test that proves it.

The same table stands in the README, for people. A step without a row, a row without a
test, or a README that says something else fails here.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
README = TESTS.parent / "README.md"

# How many numbered steps each option of the guide has.
STEPS = {1: 10, 2: 10, 3: 7}


@dataclass(frozen=True)
class Row:
    """
    One step of the guide.

    Attributes:
        option: 1 (environment variables), 2 (credentials file) or 3 (SSO).

        step: Its number there.

        typed: What a person types instead; the README has it in the row of the step.

        proof: `file::test`, which does just that.

        done: How the proof does it, where not by typing the same: a line with a name in it, or the call behind it.
    """

    option: int
    step: int
    typed: str
    proof: str
    done: str | None = None

    @property
    def documentation(self) -> str:
        return f"option {self.option}, step {self.step}"


CARD = "kernel/test_main_job.py::test_card_before_approval_has_link_code_and_life"
WAITS = "kernel/test_main_job.py::test_login_waits_for_a_person"
ACCOUNTS = ("kernel/test_main_job.py::test_accounts_are_a_table", "%cuaws accounts research* --roles")
EVERY_FORM = ("credentials/test_pasted.py::test_every_form_in_every_dress", "pasted.read(text)")
PROMPT = "kernel/test_paste.py::test_the_hidden_prompt"
SAVED = ("kernel/test_paste.py::test_saved_as_well", "%%cuaws paste --save work")
ONE_BLOCK = ("commands/test_paste.py::test_only_that_block_changes", "app.paste(copied(app), save='work')")
BLOCK = ("commands/test_use_of_profiles.py::test_a_saved_block", "app.use(RecordingShow(), '111111111111_MyRole')")
FORGET = ("kernel/test_profiles_in_a_kernel.py::test_forget", "%cuaws forget mine")
NOTHING = ("commands/test_configure.py::test_from_nothing_to_the_guides_file", "app.configure(show, 'awsucob0my*')")
USED = (
    "commands/test_configure.py::test_the_aws_command_and_botocore_use_what_was_written",
    "app.configure(show, 'awsucob0*')",
)
EXPORT = ("kernel/test_side_desk.py::test_export_into_a_file", "%cuaws export --format env --to keys.sh")
LOGOUT = ("commands/test_logout_all.py::test_as_the_real_command", "app.logout(every=True)")

ROWS = [
    Row(1, 1, "%cuaws login", CARD),
    Row(1, 2, "%cuaws login", CARD),
    Row(1, 3, "%cuaws login", CARD),
    Row(1, 4, "%cuaws login", WAITS),
    Row(1, 5, "%cuaws accounts --roles", *ACCOUNTS),
    Row(1, 6, "%cuaws paste", *EVERY_FORM),
    Row(1, 7, "%cuaws paste", PROMPT),
    Row(1, 8, "%cuaws paste", PROMPT),
    Row(1, 9, "%cuaws whoami", "kernel/test_main_job.py::test_values_are_strings_and_shown_once"),
    Row(1, 10, "%cuaws release", "kernel/test_main_job.py::test_environment_is_as_found"),
    Row(2, 1, "%cuaws login", CARD),
    Row(2, 2, "%cuaws login", CARD),
    Row(2, 3, "%cuaws login", CARD),
    Row(2, 4, "%cuaws login", WAITS),
    Row(2, 5, "%cuaws accounts --roles", *ACCOUNTS),
    Row(2, 6, "%cuaws paste", *EVERY_FORM),
    Row(2, 7, "%cuaws paste --save", *SAVED),
    Row(2, 8, "%cuaws paste --save", *ONE_BLOCK),
    Row(2, 9, "%cuaws use 111111111111_MyRole", *BLOCK),
    Row(2, 10, "%cuaws forget 111111111111_MyRole", *FORGET),
    Row(3, 1, "%cuaws configure", *NOTHING),
    Row(3, 2, "%cuaws configure", *USED),
    Row(3, 3, "%cuaws login", "kernel/test_main_job.py::test_the_four_lines"),
    Row(3, 4, "%cuaws use awsucob0myaccount", "kernel/test_main_job.py::test_use_signs_in_first"),
    Row(3, 5, "%cuaws use awsucob0myotheraccount", "kernel/test_main_job.py::test_the_four_lines"),
    Row(3, 6, "%cuaws export --format env --to FILE", *EXPORT),
    Row(3, 7, "%cuaws logout --all", *LOGOUT),
]

# How a test runs a cell in a kernel.
RUNS_A_CELL = {"good", "run", "send"}


def proof_of(row: Row) -> ast.FunctionDef:
    file, name = row.proof.split("::")
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    (found,) = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == name]
    return found


def what_it_does(test: ast.FunctionDef) -> set[str]:
    """List the calls of a test, and the lines of the cells that it runs; not what it only mentions."""
    done = set()
    for call in [node for node in ast.walk(test) if isinstance(node, ast.Call)]:
        done.add(ast.unparse(call))
        if isinstance(call.func, ast.Attribute) and call.func.attr in RUNS_A_CELL:
            texts = [node.value for node in ast.walk(call) if isinstance(node, ast.Constant)]
            done |= {line for text in texts if isinstance(text, str) for line in text.splitlines()}
    return done


def test_every_step_of_the_guide_has_a_row():
    """No step is left to the terminal."""
    assert {(row.option, row.step) for row in ROWS} == {
        (option, step) for option, steps in STEPS.items() for step in range(1, steps + 1)
    }
    assert len(ROWS) == sum(STEPS.values())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.documentation)
def test_every_row_has_a_test(row: Row):
    """The test that is named is there, says its rule, does what the row types, and asserts something."""
    proof = proof_of(row)

    assert ast.get_docstring(proof)
    assert (row.done or row.typed) in what_it_does(proof)
    assert any(isinstance(node, (ast.Assert, ast.With)) for node in ast.walk(proof))


def test_a_proof_that_types_something_else_types_the_same_command():
    """A row says how its proof does it only where that differs, and then in names alone: command and options stay."""
    other = [row for row in ROWS if row.done is not None]

    assert [row.documentation for row in other if row.done == row.typed] == []
    for row in other:
        if row.done.startswith("%"):
            assert row.done.lstrip("%").split()[:2] == row.typed.lstrip("%").split()[:2]
            assert {word for word in row.typed.split() if word.startswith("--")} <= set(row.done.split())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.documentation)
def test_the_readme_says_the_same(row: Row):
    """The README's table has the step, and what to type in its row."""
    rows = [
        line
        for line in README.read_text(encoding="utf-8").splitlines()
        if line.startswith(f"| {row.option}.{row.step} |")
    ]

    assert len(rows) == 1
    assert f"`{row.typed}`" in rows[0]
