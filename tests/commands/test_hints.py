"""Which failures of a cell are about credentials: the table of errors that people meet."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import pytest
from botocore import exceptions
from botocore.exceptions import ClientError
from doubles import RecordingShow, documented

from cuaws_magic.commands.reasons import made_by, reason
from cuaws_magic.errors import NoCredentials


def service_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "said AWS"}}, "ListBuckets")


def caused_by(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error


@dataclass
class Case:
    documentation: str
    error: BaseException
    expected: Any


CASES = [
    Case("no credentials at all", exceptions.NoCredentialsError(), "none"),
    Case(
        "variables removed under a live client",
        exceptions.PartialCredentialsError(provider="env", cred_var="AWS_ACCESS_KEY_ID"),
        "none",
    ),
    Case("never logged in", exceptions.SSOTokenLoadError(error_msg="Token for fedauth does not exist"), "sign-in"),
    Case(
        "sign-in over, no usable refresh",
        exceptions.TokenRetrievalError(provider="sso", error_msg="Token has expired and refresh failed"),
        "sign-in",
    ),
    Case("legacy profile over", exceptions.UnauthorizedSSOTokenError(), "sign-in"),
    Case(
        "environment went stale in place",
        RuntimeError("Credentials were refreshed, but the refreshed credentials are still expired."),
        "over",
    ),
    Case("S3 says expired", service_error("ExpiredToken"), "over"),
    Case("other services say expired", service_error("ExpiredTokenException"), "over"),
    Case("STS says unknown", service_error("InvalidClientTokenId"), "refused"),
    Case("S3 says unknown", service_error("InvalidAccessKeyId"), "refused"),
    Case("JSON services say unknown", service_error("UnrecognizedClientException"), "refused"),
    Case("s3fs wraps what S3 said", caused_by(PermissionError("expired"), service_error("ExpiredToken")), "over"),
    Case("no region, asked for before credentials are", exceptions.NoRegionError(), "region"),
    Case("a profile that is not there", exceptions.ProfileNotFound(profile="mine"), "profile"),
    Case("no permission is not about credentials", service_error("AccessDenied"), None),
    Case("a missing bucket is not about credentials", service_error("NoSuchBucket"), None),
    Case("a bug is not about credentials", ZeroDivisionError(), None),
    Case("another RuntimeError is not about credentials", RuntimeError("still expired milk"), None),
    Case("something else with a response", type("Odd", (Exception,), {"response": {"Error": "text"}})(), None),
    Case("nothing failed", None, None),  # type: ignore[arg-type]  # what IPython hands on then
]


@documented(CASES)
def test_the_reason_is_found_or_the_failure_left_alone(case: Case) -> None:
    """One row for each error of the table in the contracts, and what must not be taken for one."""
    assert reason(case.error) == case.expected


def test_an_error_of_ours_that_hides_botocores_is_left_alone() -> None:
    """It says itself what to type."""
    error = NoCredentials("Type `%cuaws use ACCOUNT`.")
    error.__context__ = exceptions.NoCredentialsError()
    error.__suppress_context__ = True  # as `raise … from None` does

    assert reason(error) is None


def test_a_circle_of_causes_ends() -> None:
    """Two errors may be each other's cause."""
    first, second = ValueError(), KeyError()
    first.__cause__, second.__cause__ = second, first

    assert reason(first) is None


def _error(module: str, name: str, text: str, base: type[BaseException] = Exception) -> BaseException:
    """An error as a library raises it, by what its class is called."""
    return type(name, (base,), {"__module__": module})(text)


_EXPIRED = "response error <Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>"


@pytest.mark.parametrize(
    ("error", "why", "again"),
    [
        (_error("deltalake.exceptions", "DeltaError", _EXPIRED), "over", "object"),
        (_error("_duckdb", "HTTPException", "HTTP 400 ExpiredToken: The token has expired"), "over", "connection"),
        (OSError(f"LanceError(IO): {_EXPIRED}"), "over", "object"),
        (OSError("When reading: AWS Error UNKNOWN (HTTP status 400): ExpiredToken"), "over", "object"),
        (_error("rasterio.errors", "RasterioIOError", "ExpiredToken: expired", OSError), "over", "object"),
        (_error("obstore.exceptions", "PermissionDeniedError", "InvalidAccessKeyId"), "refused", "object"),
        (_error("polars.exceptions", "ComputeError", "no credentials were found"), "none", "object"),
        (_error("joblib.externals.loky.process_executor", "_RemoteTraceback", "… RuntimeError: Credentials were "
                "refreshed, but the refreshed credentials are still expired."), "over", "pool"),
        (_error("concurrent.futures.process", "_RemoteTraceback", "botocore ExpiredToken"), "over", "pool"),
        (OSError("Error performing PUT http://169.254.169.254/latest/api/token in 1 ms"), "none", "object"),
        (_error("rasterio.errors", "RasterioIOError", "AWS_SECRET_ACCESS_KEY and AWS_NO_SIGN_REQUEST configuration "
                "options not defined", OSError), "none", "object"),
        (_error("s3torchconnectorclient._mountpoint_s3_client", "S3Exception", "Client error: No signing credentials "
                "available, see CRT debug logs"), "none", "object"),
        (OSError("When reading 't.csv': AWS Error ACCESS_DENIED during HeadObject"), "unsigned", "object"),
        (ValueError("PERMISSION_DENIED: Error reading 't.json': AccessDenied: Access Denied"), "unsigned", "client"),
        (ValueError("the answer was PERMISSION_DENIED: AccessDenied"), None, "client"),
        (OSError("ACCESS_DENIED"), None, "client"),
        (ValueError("ExpiredToken"), None, "client"),
        (OSError("no credentials here, said a program"), None, "client"),
        (_error("deltalake.exceptions", "DeltaError", "NotExpiredTokens"), None, "object"),
        (_error("duckdb", "IOException", "x" * 1_000_000 + "ExpiredToken"), None, "connection"),
    ],
    ids=lambda value: f"{type(value).__module__}.{type(value).__name__}" if isinstance(value, BaseException) else "",
)  # fmt: skip
def test_errors_that_are_nothing_but_text(error, why, again) -> None:
    """Native libraries and other processes say the service's code in a text; a person's own errors are left alone."""
    assert reason(error) == why
    assert made_by(error) == again


def test_an_error_of_a_worker_is_known_by_where_it_came_from() -> None:
    """joblib raises the worker's error again, with the worker's traceback as its cause."""
    error = RuntimeError("Credentials were refreshed, but the refreshed credentials are still expired.")
    error.__cause__ = _error("joblib.externals.loky.process_executor", "_RemoteTraceback", "Traceback …")

    assert (reason(error), made_by(error)) == ("over", "pool")


def test_a_request_without_a_signature(app, portal):
    """Refused where no account is in use: that is why. Not with an account in use, and not with a person's own keys."""
    refused = OSError("When reading 't.csv': AWS Error ACCESS_DENIED during HeadObject")
    assert app.hints.after(refused).title == "No account is in use in this kernel"

    app.use(RecordingShow(), "111111111111/MyRole")
    assert app.hints.after(refused) is None
    app.release()
    os.environ["AWS_ACCESS_KEY_ID"] = "AKIA0"
    assert app.hints.after(refused) is None


def test_what_s3fs_makes_of_no_credentials():
    """It asks again without a signature; the second answer is the cause of what it raises."""
    second = _error("botocore.exceptions", "ClientError", "403")
    second.response = {"Error": {"Code": "403"}}
    raised = PermissionError("Forbidden")
    raised.__cause__ = second
    raised.__context__ = _error("botocore.exceptions", "NoCredentialsError", "Unable to locate credentials")

    assert reason(raised) == "none"
