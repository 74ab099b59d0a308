"""Sessions that are made in the very cell that imports boto3."""

from __future__ import annotations


def test_a_session_made_after_the_load_keeps_its_account(kernel, portal):
    """Made before the first `use`, bound at its first client; the next `use` does not move it."""
    kernel.good("import sys; assert not any(name.startswith('boto') for name in sys.modules)")
    kernel.good("import boto3\ns = boto3.Session()")
    kernel.good("%cuaws use awsucob0myaccount")
    kernel.good("client = s.client('sts', region_name='us-west-2'); client.get_caller_identity()")
    method = kernel.good("s.get_credentials().method").text
    kernel.good("%cuaws use awsucob0myotheraccount")

    assert "cuaws-magic" in method
    assert "111111111111" in kernel.good("client.get_caller_identity()['Account']").text


def test_nothing_of_ours_stays_in_the_import_path(kernel):
    """Whether boto3 was imported in between or not, unloading leaves `sys.meta_path` as it was."""
    kernel.good("import sys; ours = [one for one in sys.meta_path if 'cuaws' in type(one).__module__]")
    assert kernel.good("len(ours)").text == "1"
    kernel.good("import botocore.session")
    assert kernel.good("[one for one in sys.meta_path if 'cuaws' in type(one).__module__]").text == "[]"


def test_unload_takes_it_out(kernel):
    """… also when nobody imported boto3."""
    kernel.good("%unload_ext cuaws_magic")

    assert kernel.good("import sys; [one for one in sys.meta_path if 'cuaws' in type(one).__module__]").text == "[]"
