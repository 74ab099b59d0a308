"""The AWS side of the practice portal: whose signature it accepts, and that accounts are apart."""

from __future__ import annotations

import io
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from botocore import UNSIGNED
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from cuaws_magic.practice import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

ASK = {
    "sts": "get_caller_identity",
    "s3": "list_buckets",
    "dynamodb": "list_tables",
    "lambda": "list_functions",
    "ec2": "describe_regions",
}


def refusal(call: Callable[[], Any]) -> tuple[str, int]:
    """Return name and status of the error that a call must end in."""
    with pytest.raises(ClientError) as caught:
        call()
    response = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def fetch(
    url: str, method: str = "GET", body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, bytes]:
    """Ask without an SDK."""
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # loopback
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def make_bucket(client: Any, name: str) -> None:
    """Make a bucket in the region of the tests."""
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})


@pytest.fixture(name="keys")
def _keys(learner: Any) -> dict[str, Any]:
    """Role credentials of MyRole in the first account."""
    _, answer = learner.sign_in()
    credentials: dict[str, Any] = learner.take_role(answer["accessToken"])
    return credentials


@pytest.mark.parametrize(
    ("account_id", "role_name", "role"),
    [
        ("111111111111", "MyRole", "AWSReservedSSO_MyRole_aaaaaaaaaaaaaaaa"),
        ("044444444444", "DataSteward", "AWSReservedSSO_DataSteward_"),
    ],
)
def test_caller_identity(learner: Any, account_id: str, role_name: str, role: str) -> None:
    """STS answers the account, the role and the person, as in the guide, the same at every sign-in."""
    _, answer = learner.sign_in()

    seen = [
        learner.aws("sts", learner.take_role(answer["accessToken"], account_id, role_name)).get_caller_identity()
        for _ in range(2)
    ]

    assert seen[0]["Account"] == account_id
    assert seen[0]["Arn"].startswith(f"arn:aws:sts::{account_id}:assumed-role/{role}")
    assert seen[0]["Arn"].endswith("/ralphie@colorado.edu")
    assert seen[0]["UserId"] == seen[1]["UserId"]
    assert len(seen[0]["UserId"].partition(":")[0]) == 21


UNKNOWN, SECRET, MIXED, NO_TOKEN, EXPIRED = (
    "unknown key",
    "wrong secret",
    "mixed",
    "no session token",
    "expired",
)


@pytest.mark.parametrize(
    ("service", "flaw", "expected"),
    [
        ("sts", UNKNOWN, ("InvalidClientTokenId", 403)),
        ("sts", SECRET, ("SignatureDoesNotMatch", 403)),
        ("sts", MIXED, ("InvalidClientTokenId", 403)),
        ("sts", NO_TOKEN, ("InvalidClientTokenId", 403)),
        ("sts", EXPIRED, ("ExpiredToken", 403)),
        ("s3", UNKNOWN, ("InvalidAccessKeyId", 403)),
        ("s3", SECRET, ("SignatureDoesNotMatch", 403)),
        ("s3", MIXED, ("InvalidToken", 400)),
        ("s3", EXPIRED, ("ExpiredToken", 400)),
        ("dynamodb", UNKNOWN, ("UnrecognizedClientException", 400)),
        ("dynamodb", SECRET, ("InvalidSignatureException", 400)),
        ("dynamodb", EXPIRED, ("ExpiredTokenException", 400)),
        ("lambda", UNKNOWN, ("UnrecognizedClientException", 403)),
        ("lambda", EXPIRED, ("ExpiredTokenException", 403)),
        ("ec2", SECRET, ("AuthFailure", 403)),
        ("ec2", EXPIRED, ("RequestExpired", 403)),
    ],
)
def test_refusals(learner: Any, clock: Any, service: str, flaw: str, expected: tuple[str, int]) -> None:
    """Credentials that are wrong in any way are refused in the service's own words."""
    _, answer = learner.sign_in()
    good = learner.take_role(answer["accessToken"])
    other = learner.take_role(answer["accessToken"], "222222222222", "MyOtherRole")
    flawed = {
        UNKNOWN: {"accessKeyId": "ASIANOBODY0000000000"},
        SECRET: {"secretAccessKey": other["secretAccessKey"]},
        MIXED: {"sessionToken": other["sessionToken"]},
        NO_TOKEN: {"sessionToken": None},
        EXPIRED: {},
    }[flaw]
    client = learner.aws(service, {**good, **flawed})
    if flaw == EXPIRED:
        clock.move(14400)

    assert refusal(getattr(client, ASK[service])) == expected


@pytest.mark.parametrize("service", sorted(ASK))
def test_right_credentials_work(learner: Any, keys: dict[str, Any], service: str) -> None:
    """The same calls succeed with the credentials as they were issued."""
    answer = getattr(learner.aws(service, keys), ASK[service])()

    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.mark.parametrize(
    ("service", "offset", "expected"),
    [
        ("sts", 240, None),
        ("sts", -240, None),
        ("sts", 360, ("SignatureDoesNotMatch", 403)),
        ("sts", -360, ("SignatureDoesNotMatch", 403)),
        ("s3", 840, None),
        ("s3", 960, ("RequestTimeTooSkewed", 403)),
        ("s3", -960, ("RequestTimeTooSkewed", 403)),
    ],
)
def test_clock_skew(enroll: Any, service: str, offset: int, expected: tuple[str, int] | None) -> None:
    """A signature may be five minutes off, for S3 fifteen; the AWS side follows `clock_offset`."""
    learner = enroll(clock_offset=offset)
    _, answer = learner.sign_in()
    ask = getattr(learner.aws(service, learner.take_role(answer["accessToken"])), ASK[service])

    if expected is None:
        assert ask()
    else:
        assert refusal(ask) == expected


def test_unsigned_requests(learner: Any) -> None:
    """Without a signature there is nothing to see."""
    sts = learner.client("sts", learner.portal.aws_url, config=Config(signature_version=UNSIGNED))
    s3 = learner.client("s3", learner.portal.aws_url, config=Config(signature_version=UNSIGNED))

    assert refusal(sts.get_caller_identity) == ("MissingAuthenticationToken", 403)
    assert refusal(s3.list_buckets) == ("AccessDenied", 403)


@pytest.mark.parametrize("path", ["/moto-api/data.json", "/moto-api/reset", "/latest/meta-data/iam", "/favicon.ico"])
def test_no_back_doors(learner: Any, path: str) -> None:
    """Nothing of moto's own pages can be reached."""
    assert fetch(learner.portal.aws_url + path)[0] == 404
    assert fetch(learner.portal.aws_url + path, "POST", b"")[0] == 404


def test_objects_of_every_kind(learner: Any, keys: dict[str, Any]) -> None:
    """Names with spaces and accents, metadata with underscores, uploads in parts and pages work."""
    s3 = learner.aws("s3", keys)
    make_bucket(s3, "my-data")
    name = "a folder/ümlaut + sign=1.txt"

    s3.put_object(Bucket="my-data", Key=name, Body=b"hello", Metadata={"my_key": "v"})
    s3.upload_fileobj(io.BytesIO(b"x" * 9_000_000), "my-data", "in parts")
    s3.copy_object(Bucket="my-data", Key="copy", CopySource={"Bucket": "my-data", "Key": name})
    pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket="my-data", PaginationConfig={"PageSize": 1}))
    found = s3.get_object(Bucket="my-data", Key=name)
    size = s3.head_object(Bucket="my-data", Key="in parts")["ContentLength"]
    s3.delete_objects(Bucket="my-data", Delete={"Objects": [{"Key": "copy"}]})

    assert sorted(entry["Key"] for page in pages for entry in page["Contents"]) == [name, "copy", "in parts"]
    assert (found["Body"].read(), found["Metadata"]) == (b"hello", {"my_key": "v"})
    assert size == 9_000_000
    assert s3.list_objects_v2(Bucket="my-data")["KeyCount"] == 2


def test_files(learner: Any, keys: dict[str, Any], tmp_path: Any) -> None:
    """upload_file and download_file bring the same bytes back."""
    s3 = learner.aws("s3", keys)
    make_bucket(s3, "my-files")
    (tmp_path / "in").write_bytes(b"0123456789" * 1000)

    s3.upload_file(str(tmp_path / "in"), "my-files", "file")
    s3.download_file("my-files", "file", str(tmp_path / "out"))

    assert (tmp_path / "out").read_bytes() == (tmp_path / "in").read_bytes()


@pytest.mark.parametrize("version", [None, "s3v4"], ids=["boto3's default", "s3v4"])
def test_presigned_links(learner: Any, keys: dict[str, Any], clock: Any, version: str | None) -> None:
    """A presigned link works, not after its end, and not for another object."""
    s3 = learner.aws("s3", keys, config=Config(signature_version=version))
    make_bucket(s3, "my-links")
    s3.put_object(Bucket="my-links", Key="a b.txt", Body=b"hello")
    words = {"Bucket": "my-links", "Key": "a b.txt", "ResponseContentType": "text/x y"}

    link = s3.generate_presigned_url("get_object", Params=words, ExpiresIn=600)
    put = s3.generate_presigned_url("put_object", Params={"Bucket": "my-links", "Key": "new"})
    other = link.replace("a%20b.txt", "other")
    written = fetch(put, "PUT", b"new", {"Content-Type": ""} if version is None else {})

    assert fetch(link) == (200, b"hello")
    assert written[0] == 200
    assert fetch(other)[0] == 403
    clock.move(601)
    status, body = fetch(link)
    assert (status, b"Request has expired" in body) == (403, True)


def test_presigned_identity(learner: Any, keys: dict[str, Any]) -> None:
    """A presigned GetCallerIdentity, by which services prove who someone is, names the account."""
    link = learner.aws("sts", keys).generate_presigned_url("get_caller_identity", HttpMethod="GET")

    status, body = fetch(link)

    assert (status, b"<Account>111111111111</Account>" in body) == (200, True)


@pytest.mark.parametrize(
    ("digest", "body", "expected"),
    [
        pytest.param(None, b"hello", (200, b""), id="signed payload"),
        pytest.param("UNSIGNED-PAYLOAD", b"hello", (200, b""), id="unsigned payload"),
        pytest.param(
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n",
            (200, b""),
            id="streaming with a trailer",
        ),
        pytest.param("0" * 64, b"hello", (400, b"XAmzContentSHA256Mismatch"), id="another payload"),
    ],
)
def test_payload_digests(
    learner: Any, keys: dict[str, Any], digest: str | None, body: bytes, expected: tuple[int, bytes]
) -> None:
    """S3's ways to sign a payload, or not to."""
    s3 = learner.aws("s3", keys)
    make_bucket(s3, "my-payloads")
    request: Any = AWSRequest("PUT", f"{learner.portal.aws_url}/my-payloads/it", data=body)
    signer: Any = S3SigV4Auth(
        Credentials(keys["accessKeyId"], keys["secretAccessKey"], keys["sessionToken"]), "s3", "us-west-2"
    )
    if digest:
        signer.payload = lambda _: digest
    if digest and digest.startswith("STREAMING"):
        request.headers["Content-Encoding"] = "aws-chunked"
        request.headers["X-Amz-Decoded-Content-Length"] = "5"
        request.headers["X-Amz-Trailer"] = "x-amz-checksum-crc32"
    signer.add_auth(request)

    status, answer = fetch(request.url, "PUT", body, dict(request.headers) | {"Content-Type": ""})

    assert status == expected[0]
    assert expected[1] in answer
    if status == 200:
        assert s3.get_object(Bucket="my-payloads", Key="it")["Body"].read() == b"hello"


def test_a_changed_request_is_refused(learner: Any, keys: dict[str, Any]) -> None:
    """A header that decides about the request must be signed."""
    request: Any = AWSRequest("GET", f"{learner.portal.aws_url}/")
    credentials = Credentials(keys["accessKeyId"], keys["secretAccessKey"], keys["sessionToken"])
    signer: Any = S3SigV4Auth
    signer(credentials, "s3", "us-west-2").add_auth(request)

    good = fetch(request.url, headers=dict(request.headers))
    changed = fetch(request.url, headers={**request.headers, "x-amz-acl": "public-read"})
    account = fetch(request.url, headers={**request.headers, "x-moto-account-id": "222222222222"})

    assert (good[0], changed[0], account[0]) == (200, 403, 200)


def test_buckets_belong_to_accounts(learner: Any, keys: dict[str, Any]) -> None:
    """A bucket of one account is not in another's listing, and closed to it."""
    _, answer = learner.sign_in()
    mine = learner.aws("s3", keys)
    other = learner.aws("s3", learner.take_role(answer["accessToken"], "044444444444", "Researcher"))

    make_bucket(mine, "mine-alone")

    assert [bucket["Name"] for bucket in mine.list_buckets()["Buckets"]] == ["mine-alone"]
    assert other.list_buckets()["Buckets"] == []
    assert refusal(lambda: other.list_objects_v2(Bucket="mine-alone")) == ("AccessDenied", 403)


def test_assumed_roles_and_users(learner: Any, keys: dict[str, Any]) -> None:
    """Credentials that its own STS and IAM hand out are accepted too."""
    sts, iam = learner.aws("sts", keys), learner.aws("iam", keys)
    iam.create_user(UserName="robot")

    assumed = sts.assume_role(RoleArn="arn:aws:iam::222222222222:role/cross", RoleSessionName="me")["Credentials"]
    key = iam.create_access_key(UserName="robot")["AccessKey"]
    as_role = {
        "accessKeyId": assumed["AccessKeyId"],
        "secretAccessKey": assumed["SecretAccessKey"],
        "sessionToken": assumed["SessionToken"],
    }
    as_user = {
        "accessKeyId": key["AccessKeyId"],
        "secretAccessKey": key["SecretAccessKey"],
        "sessionToken": None,
    }

    assert learner.aws("sts", as_role).get_caller_identity()["Account"] == "222222222222"
    assert learner.aws("sts", as_user).get_caller_identity()["Arn"].endswith(":user/robot")


def test_role_credentials_outlive_the_sign_in(learner: Any) -> None:
    """After a logout and a revocation, role credentials already given go on working, as AWS says."""
    _, answer = learner.sign_in()
    sts = learner.aws("sts", learner.take_role(answer["accessToken"]))

    learner.sso.logout(accessToken=answer["accessToken"])
    learner.portal.revoke_sign_ins()

    assert sts.get_caller_identity()["Account"] == "111111111111"


@pytest.mark.parametrize(
    ("service", "operation", "kind", "expected"),
    [
        ("sts", "sts:GetCallerIdentity", "503", ("ServiceUnavailable", 503)),
        ("sts", "sts", "429", ("Throttling", 429)),
        ("sts", "sts:GetCallerIdentity", "403", ("AccessDenied", 403)),
        ("s3", "s3", "500", ("InternalError", 500)),
        ("s3", "s3", "429", ("SlowDown", 429)),
        ("dynamodb", "dynamodb:ListTables", "500", ("InternalFailure", 500)),
    ],
)
def test_failures_of_aws(enroll: Any, service: str, operation: str, kind: str, expected: tuple[str, int]) -> None:
    """Failures of one operation or of a whole service, in the service's words."""
    learner = enroll(failures=(Failure(operation, kind=kind),))
    _, answer = learner.sign_in()
    once = Config(retries={"total_max_attempts": 1})
    ask = getattr(learner.aws(service, learner.take_role(answer["accessToken"]), config=once), ASK[service])

    assert refusal(ask) == expected
    assert ask()


def test_journal_names_operations(learner: Any, keys: dict[str, Any]) -> None:
    """The journal names the operation where that is cheap to know, else the service."""
    for service in ("sts", "s3", "dynamodb"):
        getattr(learner.aws(service, keys), ASK[service])()

    assert [call.operation for call in learner.portal.calls][-3:] == [
        "sts:GetCallerIdentity",
        "s3",
        "dynamodb:ListTables",
    ]
    assert learner.portal.count("sts:GetCallerIdentity") == 1
