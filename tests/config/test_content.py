"""What a profile means is what botocore makes of it: each mix of settings, judged by botocore's own resolver."""

from __future__ import annotations

import itertools
import json
import sys

import botocore.exceptions
import botocore.session
import pytest

from cuaws_magic.config.files import AwsFiles

# A program that gives keys, so that botocore's resolver comes to an answer without any network.
KEYS = json.dumps({"Version": 1, "AccessKeyId": "AKIAS3CRET", "SecretAccessKey": "S3CRET"})

# Each kind of setting, as lines of the config file; the last is for the credentials file.
PARTS = {
    "role": "role_arn = arn:aws:iam::222222222222:role/Deploy",
    "source": "source_profile = base",
    "credential source": "credential_source = Environment",
    "web identity": "web_identity_token_file = /nowhere/web-identity",
    "sso": "sso_session = fedauth\nsso_account_id = 111111111111\nsso_role_name = MyRole",
    "sso, older form": (
        "sso_start_url = https://cuboulder.awsapps.com/start\nsso_region = us-west-2\n"
        "sso_account_id = 111111111111\nsso_role_name = MyRole"
    ),
    "process": f"credential_process = {sys.executable} -c \"print('{KEYS.replace(chr(34), chr(92) + chr(34))}')\"",
    "keys": "aws_access_key_id = AKIAS3CRET\naws_secret_access_key = S3CRET",
    "saved keys": "aws_access_key_id = AKIAS3CRET\naws_secret_access_key = S3CRET",
}
MIXES = [
    mix
    for size in range(4)
    for mix in itertools.combinations(PARTS, size)
    if not {"sso", "sso, older form"} <= set(mix) and not {"source", "credential source"} <= set(mix)
]

FILE = """
[sso-session fedauth]
sso_start_url = https://cuboulder.awsapps.com/start
sso_region = us-west-2
[profile base]
aws_access_key_id = AKIAS3CRETBASE
aws_secret_access_key = S3CRET
"""


@pytest.fixture
def files(home, monkeypatch):
    """Write both files with one profile of these parts; returns what reads them."""
    folder = home / ".aws"
    folder.mkdir()
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "credentials"))

    def write(mix):
        own = "\n".join(PARTS[part] for part in mix if part != "saved keys")
        (folder / "config").write_text(f"{FILE}\n[profile mixed]\nregion = us-west-2\n{own}\n")
        (folder / "credentials").write_text(f"[mixed]\n{PARTS['saved keys']}\n" if "saved keys" in mix else "")
        return AwsFiles()

    return write


def botocores_method():
    """The METHOD of the provider that answers for the profile, also where it answers with an error."""
    session = botocore.session.Session(profile="mixed")
    for provider in session.get_component("credential_provider").providers:
        if provider.METHOD in {"iam-role", "container-role", "ec2-credentials-file", "boto-config"}:
            return None  # no more of the profile
        try:
            found = provider.load()
        except botocore.exceptions.BotoCoreError:
            return provider.METHOD
        if found is not None:
            return provider.METHOD
    return None


@pytest.mark.parametrize("mix", MIXES, ids=lambda mix: " + ".join(mix) or "nothing")
def test_the_method_is_botocores(files, mix):
    """Whatever is mixed in one profile: we take its credentials from where botocore takes them."""
    profile = files(mix).read().profile("mixed")

    assert profile.method == botocores_method()


def test_what_saved_keys_hide(files):
    """Saved keys win over a program in the same profile, and that is told; alone they hide nothing."""
    hidden = files(("process", "saved keys")).read().profile("mixed").hidden
    alone = files(("saved keys",)).read().profile("mixed").hidden

    assert (hidden, alone) == (("credential_process",), ())


def test_a_sign_in_at_the_end_of_a_chain(files, home):
    """A role on top of a role on top of an SSO profile begins with that profile's sign-in."""
    read = files(("role", "source"))
    path = home / ".aws" / "config"
    path.write_text(
        path.read_text().replace(
            "[profile base]\naws_access_key_id = AKIAS3CRETBASE\naws_secret_access_key = S3CRET",
            "[profile base]\nrole_arn = arn:aws:iam::333333333333:role/A\nsource_profile = root\n"
            f"[profile root]\n{PARTS['sso']}",
        )
    )
    config = read.read()

    assert config.root("mixed").name == "root"
    assert config.sign_in_of("mixed").name == "fedauth"


def test_roles_in_a_circle_end(files, home):
    """A source_profile that leads back is nobody's sign-in, and no endless loop."""
    files(("role", "source"))
    path = home / ".aws" / "config"
    path.write_text(
        path.read_text().replace(
            "[profile base]\n", "[profile base]\nrole_arn = arn:aws:iam::333333333333:role/A\nsource_profile = mixed\n"
        )
    )

    assert AwsFiles().read().sign_in_of("mixed") is None
