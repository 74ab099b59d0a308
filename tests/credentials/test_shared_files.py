"""Sessions of ours read the AWS files once, and see a change of them as every botocore session does."""

from __future__ import annotations

import configparser
import os

import botocore.session
import pytest

from cuaws_magic.credentials.shared_files import drop_repeated_paths, new_session

CONFIG = "[default]\nregion = eu-west-1\ns3 =\n  addressing_style = path\n[profile dev]\nregion = us-east-2\n"


@pytest.fixture
def files(home):
    (home / ".aws").mkdir()
    (home / ".aws" / "config").write_text(CONFIG)
    (home / ".aws" / "credentials").write_text("[saved]\naws_access_key_id = AKIA0\n")
    return home / ".aws"


def test_what_it_says_is_what_botocore_says(files):
    """Both files, merged and parsed as botocore does it; also after a change, and without the files."""
    assert new_session().full_config == botocore.session.Session().full_config
    (files / "config").write_text(CONFIG.replace("eu-west-1", "sa-east-1"))
    assert new_session().get_config_variable("region") == "sa-east-1"
    (files / "config").unlink()
    (files / "credentials").unlink()
    assert new_session().full_config == botocore.session.Session().full_config == {"profiles": {}}


def test_the_files_are_read_once(files, monkeypatch):
    """A session for each of a hundred accounts parses nothing again."""
    new_session().get_config_variable("region")
    parsed = []
    read = configparser.RawConfigParser.read
    monkeypatch.setattr(
        configparser.RawConfigParser,
        "read",
        lambda self, *more, **named: parsed.append(more) or read(self, *more, **named),
    )

    sessions = [new_session() for _ in range(100)]
    regions = {one.get_config_variable("region") for one in sessions}

    assert regions == {"eu-west-1"}
    assert parsed == []


def test_what_one_session_changes_is_its_own(files):
    """The next session says what the files say."""
    new_session().full_config["profiles"]["dev"]["region"] = "elsewhere"

    assert new_session().full_config["profiles"]["dev"]["region"] == "us-east-2"


def test_another_file(files, monkeypatch, tmp_path):
    """`AWS_CONFIG_FILE` leads elsewhere, as ever."""
    new_session().get_config_variable("region")
    (tmp_path / "other").write_text("[default]\nregion = ca-central-1\n")
    monkeypatch.setitem(os.environ, "AWS_CONFIG_FILE", str(tmp_path / "other"))

    assert new_session().get_config_variable("region") == "ca-central-1"


def test_a_file_that_does_not_parse(files):
    """It is botocore's own error, each time, and a file that was mended is read."""
    (files / "config").write_text("[default\n")
    for _ in range(2):
        with pytest.raises(botocore.exceptions.ConfigParseError):
            new_session().get_config_variable("region")
    (files / "config").write_text(CONFIG)
    assert new_session().get_config_variable("region") == "eu-west-1"


def test_paths_are_not_repeated():
    """boto3's folder is added by each of its sessions; the shared loader keeps it once."""
    session = new_session()
    paths = session.get_component("data_loader").search_paths
    paths += ["/boto3/data", "/boto3/data"]

    drop_repeated_paths(session)

    assert paths.count("/boto3/data") == 1
    paths.remove("/boto3/data")
