"""`%cuaws configure` and `%cuaws forget` in a real kernel: what the page shows, and what a saved notebook keeps."""

from __future__ import annotations

KEYS = "[mine]\naws_access_key_id=ASIAS3CRET\naws_session_token=S3CRET\n\n[lab keys]\naws_access_key_id=AKIAS3CRET\n"


def aws_folder(kernel):
    folder = kernel.home / ".aws"
    folder.mkdir(exist_ok=True)
    return folder


def test_configure(kernel):
    """The difference, then the result, each once; a value of it can be kept; the file is there."""
    config = aws_folder(kernel) / "config"
    config.write_text("[profile keys]\naws_access_key_id = AKIAS3CRET\n")

    dry = kernel.good("%cuaws configure awsucob0my* --dry-run")
    untouched = config.read_text()
    cell = kernel.good("%cuaws configure awsucob0my*")
    kernel.good("x = %cuaws configure awsucob0my*")

    assert "profile awsucob0myaccount" not in untouched
    assert "Nothing was written: 2 profiles to add" in dry.text
    assert cell.text.count("+[profile awsucob0myaccount]") == 1
    assert cell.text.index("What changes") < cell.text.index("2 profiles added")
    assert cell.html.count("+[profile awsucob0myaccount]") == 1
    assert "[profile awsucob0myotheraccount]" in config.read_text()
    assert kernel.value("[x.kept, x.written]") == [["awsucob0myaccount", "awsucob0myotheraccount"], False]
    assert "S3CRET" not in cell.ever


def test_a_configured_profile_is_there_for_the_next_cell(kernel):
    """The file that was written is read by the next command, and by boto3."""
    kernel.good("%cuaws configure awsucob0my*")

    kernel.good("%cuaws use awsucob0myotheraccount")

    assert kernel.value("__import__('boto3').Session().available_profiles") == [
        "awsucob0myaccount",
        "awsucob0myotheraccount",
    ]


def test_forget(kernel):
    """One line says what was deleted, none what was in it; Tab offers the names."""
    credentials = aws_folder(kernel) / "credentials"
    credentials.write_text(KEYS)

    offered = kernel.complete("%cuaws forget m")
    cell = kernel.good("%cuaws forget mine")

    assert offered == ["mine"]
    assert "Forgot mine" in cell.text
    assert "S3CRET" not in cell.ever
    assert credentials.read_text() == KEYS[KEYS.index("[lab") :]


def test_errors_are_one_line_and_stop_the_run(kernel):
    """A file that does not parse, and a name that is not there: one clean line, and "Run all" stops."""
    aws_folder(kernel).joinpath("credentials").write_text(KEYS)

    unknown = kernel.run("%cuaws forget nothing")
    notebook, stopped = kernel.run_all("%cuaws forget nothing", "print('went on')")
    aws_folder(kernel).joinpath("config").write_text("[profile a]\nS3CRET\n")
    damaged = kernel.run("%cuaws configure")

    assert unknown.error.endswith(
        "has no block nothing. There is: mine, lab keys. To delete one of these, type `%cuaws forget NAME`."
    )
    assert stopped is not None
    assert notebook.cells[1].outputs == []
    assert "config, line 2: not `key = value`" in damaged.error
    assert "S3CRET" not in damaged.error
