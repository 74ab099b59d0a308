"""Exports, console links and the doctor in a real kernel: what stands on the page, and what does not."""

from __future__ import annotations

import json

import nbformat
import pytest


def secrets_of(kernel):
    return kernel.value("[__import__('os').environ[n] for n in ('AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN')]")


def test_export_into_a_variable(kernel):
    """`--var` gives text to the notebook's own code, and shows nothing of it, also as a value."""
    kernel.good("%cuaws use awsucob0myaccount")

    cell = kernel.good("x = %cuaws export --format process --var keys\nx")

    process = json.loads(kernel.value("keys"))
    assert process["Version"] == 1
    assert "in the variable keys" in cell.text
    assert not any(secret in cell.ever for secret in (process["SecretAccessKey"], process["SessionToken"]))


def test_export_into_a_file(kernel):
    """`--to` writes where the notebook runs, for this person only; `bash` takes it."""
    kernel.good("%cuaws use awsucob0myaccount")

    cell = kernel.good("%cuaws export --format env --to keys.sh")

    assert kernel.value("oct(__import__('os').stat('keys.sh').st_mode & 0o777)") == "0o600"
    assert kernel.value("open('keys.sh').read().count('export AWS_')") == 4
    assert "Exported keys are not renewed" in cell.text
    assert "Good for" in cell.html


def test_export_onto_the_page(kernel):
    """`--show`, and nothing else, shows keys; it says to clear the output."""
    kernel.good("%cuaws use awsucob0myaccount")

    cell = kernel.good("%cuaws export --format fish --show")

    assert "set -gx AWS_SECRET_ACCESS_KEY" in cell.text
    assert "clear this output" in cell.text
    assert "clear this output" in cell.html


@pytest.mark.parametrize("line", ["%cuaws export", "%cuaws export --var 1x", "%cuaws export --show --to f"])
def test_export_asks_where(kernel, line):
    """Without exactly one place it is a usage error of one line."""
    cell = kernel.run(line)

    assert cell.status == "error"
    assert "%cuaws export: " in cell.text
    assert "Traceback" not in cell.text


def test_a_saved_notebook_has_no_keys(kernel):
    """Run all and save: exports to a file and a variable leave no key in the notebook."""
    notebook, error = kernel.run_all(
        "%cuaws use awsucob0myaccount",
        "%cuaws export --format env --to keys.sh",
        "%cuaws export --var keys",
        "%cuaws console s3",
        "%cuaws doctor",
    )

    assert error is None
    saved = nbformat.writes(notebook)
    assert not any(secret in saved for secret in secrets_of(kernel))
    assert "/start/#/console?account_id=111111111111" in saved


def test_doctor_before_anything_else(start_kernel):
    """In a new kernel, with a config file that does not parse, the doctor is the first command and says it."""
    kernel = start_kernel()
    (kernel.home / ".aws").mkdir()
    (kernel.home / ".aws" / "config").write_text("[profile a]\nregion\n")
    kernel.load()

    cell = kernel.good("%cuaws doctor")

    assert "config, line 2: not `key = value`" in cell.text
    assert cell.text.strip().splitlines()[-1].startswith("First: No AWS program can read this file")
    assert "ipykernel" in cell.text


def test_help_and_functions(kernel):
    """Each command has its help; the functions of the public face are those, whatever was imported before."""
    for command in ("export", "console", "doctor"):
        assert f"%cuaws {command}" in kernel.good(f"%cuaws {command} --help").text
    kernel.good("import cuaws_magic as cuaws\ncuaws.use('awsucob0myaccount')")

    assert kernel.value("cuaws.export(format='env').reveal().count('export ')") == 4
    assert kernel.value("cuaws.console('s3').account") == "111111111111"
    assert kernel.value("cuaws.doctor().ready") is True
    assert (
        kernel.value("[callable(getattr(cuaws, name)) for name in ('login', 'logout', 'console', 'doctor')]")
        == [True] * 4
    )
