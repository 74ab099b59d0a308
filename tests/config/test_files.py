"""Reading `~/.aws`: the folder `tests/config` is the specification, botocore the judge."""

from __future__ import annotations

import os
from pathlib import Path

import botocore.configloader
import botocore.exceptions
import botocore.session
import pytest
from doubles import SCOPE

from cuaws_magic.config.files import AwsFiles
from cuaws_magic.errors import ConfigFileError, ConfigurationError, StorageError

INPUTS = Path(__file__).parent / "inputs"


def inputs(kind):
    found = sorted(INPUTS.glob(f"*.{kind}"))
    assert found, f"no {kind} inputs"
    return pytest.mark.parametrize("path", found, ids=lambda path: path.stem)


def read(path):
    return AwsFiles({"AWS_CONFIG_FILE": str(path), "AWS_SHARED_CREDENTIALS_FILE": os.devnull}).read()


def botocore_session(path):
    found = botocore.session.Session()
    found.set_config_variable("config_file", str(path))
    found.set_config_variable("credentials_file", os.devnull)
    return found


@inputs("good")
def test_good_files_are_read_as_botocore_reads_them(path):
    """The same profiles and sso-sessions with the same values; nested blocks are botocore's own business."""
    theirs = botocore_session(path).full_config
    ours = read(path)

    def flat(section):
        return {key: value for key, value in section.items() if not isinstance(value, dict)}

    def without_blocks(section):
        return {key: value for key, value in section.items() if not value.startswith("\n")}

    assert {name: without_blocks(one.settings) for name, one in ours.profiles.items()} == {
        name: flat(section) for name, section in theirs["profiles"].items()
    }
    assert {name: dict(section) for name, section in ours.session_sections.items()} == theirs.get("sso_sessions", {})


@inputs("bad")
def test_bad_files_are_refused(path):
    """What botocore refuses is refused with file and line, what to do, and nothing of the line's text."""
    expected = path.with_suffix(".expected").read_text().strip()

    with pytest.raises(botocore.exceptions.ConfigParseError):
        botocore.configloader.load_config(str(path))
    with pytest.raises(ConfigFileError) as caught:
        read(path)

    message = str(caught.value)
    assert f"{path}, {expected}" in message
    assert message.endswith("correct the line, then run the cell again.")
    assert "S3CRET" not in message


@inputs("incomplete")
def test_incomplete_files_say_what_is_missing(path):
    """A profile that cannot be signed in with is refused when it is used, with section and key."""
    expected = path.with_suffix(".expected").read_text().strip().replace("…", str(path))
    config = read(path)

    with pytest.raises(ConfigurationError) as caught:
        config.sso_session_of(config.profiles["a"])

    assert expected in str(caught.value)
    assert str(caught.value).endswith(("then run the cell again.", "--start-url URL --sso-region REGION`."))


def test_every_input_has_a_kind():
    """No input of the folder is left out, and no expectation is left over."""
    kinds = {".good", ".bad", ".incomplete", ".expected", ".md"}
    refused = {path.stem for path in INPUTS.iterdir() if path.suffix in {".bad", ".incomplete"}}

    assert {path.suffix for path in INPUTS.iterdir()} == kinds
    assert {path.stem for path in INPUTS.glob("*.expected")} == refused


def test_the_guides_file():
    """The guide's file gives one SSO profile whose sign-in is CU's."""
    config = read(INPUTS / "the-guide.good")
    profile = config.profiles["awsucob0myaccount"]

    sso_session = config.sso_session_of(profile)

    assert (profile.sso, profile.account_id, profile.role_name) == (True, "111111111111", "MyRole")
    assert profile.region == "us-west-2"
    assert (sso_session.name, sso_session.start_url) == ("fedauth", "https://cuboulder.awsapps.com/start")
    assert (sso_session.sso_region, sso_session.scopes) == ("us-west-2", (SCOPE,))


def test_a_legacy_profile():
    """A legacy profile is an SSO profile whose sign-in has no name and no scopes; its zero stays."""
    config = read(INPUTS / "legacy-profile.good")
    profile = config.profiles["legacy"]

    sso_session = config.sso_session_of(profile)

    assert (profile.sso, profile.account_id, profile.region) == (True, "044444444444", None)
    assert (sso_session.name, sso_session.scopes) == (None, None)


@pytest.mark.parametrize(
    ("name", "scopes"),
    [
        ("the-guide", (SCOPE,)),
        ("scopes-missing", None),
        ("scopes-with-spaces", (SCOPE, "codewhisperer:completions")),
    ],
)
def test_scopes(name, scopes):
    """Scopes are separated by commas; none configured is not the same as an empty list."""
    assert read(INPUTS / f"{name}.good").sso_session("fedauth").scopes == scopes


@pytest.mark.parametrize("name", ["token-only-profile", "login-session-profile"])
def test_profiles_of_another_kind(name):
    """A profile without account and role of Identity Center is there, and is not an SSO profile."""
    config = read(INPUTS / f"{name}.good")

    others = [profile.name for profile in config.profiles.values() if not profile.sso]

    assert others == [{"token-only-profile": "token-only", "login-session-profile": "console"}[name]]


def test_an_inline_comment_is_part_of_the_value():
    """botocore knows no inline comments, so neither do we: every tool sees the same wrong region."""
    assert read(INPUTS / "inline-comment-is-part-of-the-value.good").sso_session("fedauth").sso_region == (
        "us-west-2 # Oregon"
    )


def test_no_files_say_nothing(home):
    """A machine without `~/.aws` has an empty configuration."""
    config = AwsFiles({}).read()

    assert config.path == home / ".aws" / "config"
    assert (dict(config.profiles), dict(config.session_sections), config.static_profiles) == ({}, {}, ())


def test_the_credentials_file_gives_names_only(home):
    """Of the credentials file only the names of its sections are kept; no key stays in memory or in `repr`."""
    (home / ".aws").mkdir()
    (home / ".aws" / "credentials").write_text("[default]\naws_access_key_id = AKIAS3CRET\n[two words]\n")

    config = AwsFiles({}).read()

    assert config.static_profiles == ("default", "two words")
    assert "AKIAS3CRET" not in repr(config)


def test_a_bad_credentials_file_is_named(home):
    """A credentials file that does not parse is refused as the config file is."""
    (home / ".aws").mkdir()
    (home / ".aws" / "credentials").write_text("[default]\nAKIAS3CRET\n")

    with pytest.raises(ConfigFileError, match=r"credentials, line 2: not `key = value`") as caught:
        AwsFiles({}).read()

    assert "AKIAS3CRET" not in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "attribute"),
    [("AWS_CONFIG_FILE", "config_path"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials_path")],
)
def test_where_the_files_are(home, variable, attribute):
    """Both paths can be moved, with `~`; an empty variable moves nothing."""
    usual = getattr(AwsFiles({}), attribute)

    assert getattr(AwsFiles({variable: ""}), attribute) == usual
    assert getattr(AwsFiles({variable: "~/moved"}), attribute) == home / "moved"


@pytest.mark.parametrize(
    ("variable", "name"),
    [("AWS_CONFIG_FILE", "config_path"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials_path")],
)
def test_the_paths_take_variables(home, monkeypatch, variable, name):
    """botocore expands variables in both paths, and reads a profile there; so do we."""
    monkeypatch.setenv("PLACE", str(home / "place"))
    monkeypatch.setenv(variable, "$PLACE/file")
    (home / "place").mkdir()
    (home / "place" / "file").write_text("[default]\nregion = eu-west-3\n")

    assert getattr(AwsFiles(), name) == home / "place" / "file"
    assert botocore.session.Session().full_config["profiles"] == {"default": {"region": "eu-west-3"}}


def test_a_file_that_cannot_be_read(home):
    """A config that is there and cannot be read is not the same as none."""
    (home / ".aws" / "config").mkdir(parents=True)

    with pytest.raises(StorageError, match=r"Cannot read .*config: is a directory. Make it readable"):
        AwsFiles({}).read()


def test_a_changed_file_is_read_again(home):
    """An edit in another window holds for the next command; an unchanged file is not parsed again."""
    path = home / ".aws" / "config"
    path.parent.mkdir()
    path.write_text("[profile a]\n")
    files = AwsFiles({})

    before = files.read()
    again = files.read()
    path.write_text("[profile a]\n[profile b]\n")
    after = files.read()

    assert again is before
    assert sorted(after.profiles) == ["a", "b"]
