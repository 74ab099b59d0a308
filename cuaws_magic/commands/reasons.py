"""
Why a cell failed, where credentials were the reason. Pure.

Knows the exceptions that people meet by name (botocore's, and the services' codes), and those of native libraries by
their text, so that nothing has to be imported to look at one. Everything else is left alone.
"""

from __future__ import annotations

import re
from typing import Literal

# "unsigned": refused, as a library is that asks without a signature where it finds no credentials.
Reason = Literal["none", "over", "refused", "sign-in", "region", "profile", "unsigned"]

# botocore's exceptions, by the name of the class.
_BY_CLASS: dict[str, Reason] = {
    "NoCredentialsError": "none",
    "PartialCredentialsError": "none",
    "NoAuthTokenError": "sign-in",
    "SSOTokenLoadError": "sign-in",
    "TokenRetrievalError": "sign-in",
    "UnauthorizedSSOTokenError": "sign-in",
    # What boto3 looks for before it looks for credentials.
    "NoRegionError": "region",
    "ProfileNotFound": "profile",
}

# Codes of the services, as botocore's ClientError carries them.
_BY_CODE: dict[str, Reason] = {
    "ExpiredToken": "over",
    "ExpiredTokenException": "over",
    "RequestExpired": "over",
    "TokenRefreshRequired": "over",
    "InvalidClientTokenId": "refused",
    "UnrecognizedClientException": "refused",
    "InvalidAccessKeyId": "refused",
    "InvalidToken": "refused",
}

# botocore says this with a plain RuntimeError (`RefreshableCredentials._protected_refresh`).
_STILL_EXPIRED = "the refreshed credentials are still expired"

# `botocore.utils.SSOTokenLoader`.
_NO_TOKEN = re.compile(r"Token for (\S+) does not exist")

_DEEPEST = 20  # a chain of causes may be a circle


def reason(error: BaseException | None) -> Reason | None:
    """
    Say how credentials made a cell fail, or nothing where they did not.

    Args:
        error: What the cell raised. Libraries wrap botocore's errors (s3fs makes a
            `PermissionError` of them), so its causes are looked at too.
    """
    found = [why for one in _chain(error) if (why := _reason(one)) is not None]
    return next((why for why in found if why != "unsigned"), found[0] if found else None)


def _chain(error: BaseException | None) -> list[BaseException]:
    """
    Return an error with its causes, and what was being dealt with when each was raised.

    s3fs asks again without a signature where there are no credentials: what is raised then has the
    second answer as its cause.
    """
    found: list[BaseException] = []
    waiting = [error]
    while waiting and len(found) < _DEEPEST:
        one = waiting.pop(0)
        if one is None or any(one is other for other in found):
            continue
        found.append(one)
        hidden = one.__suppress_context__ and one.__cause__ is None
        waiting += [one.__cause__, None if hidden else one.__context__]
    return found


def sign_in_key(error: BaseException | None) -> str | None:
    """Return the key of the sign-in that botocore did not find, where its error names one: a name or a start URL."""
    for _ in range(_DEEPEST):
        if error is None:
            return None
        found = _NO_TOKEN.search(str(error)) if type(error).__name__ == "SSOTokenLoadError" else None
        if found is not None:
            return found[1]
        error = _cause(error)
    return None


def missing_profile(error: BaseException | None) -> str | None:
    """Return the name of the profile that botocore looked for in vain, where its error names one."""
    for _ in range(_DEEPEST):
        if error is None:
            return None
        if _reason(error) == "profile":
            name = getattr(error, "kwargs", {}).get("profile")
            return None if name is None else str(name)
        error = _cause(error)
    return None


def _cause(error: BaseException) -> BaseException | None:
    return error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _reason(error: BaseException) -> Reason | None:
    for base in type(error).__mro__:
        if base.__module__.startswith("botocore.") and base.__name__ in _BY_CLASS:
            return _BY_CLASS[base.__name__]
    if isinstance(error, RuntimeError) and _STILL_EXPIRED in str(error):
        return "over"
    response = getattr(error, "response", None)
    if isinstance(response, dict) and isinstance(response.get("Error"), dict):
        return _BY_CODE.get(str(response["Error"].get("Code")))
    return _by_text(error)


# Native libraries and other processes have nothing but a text: the service's code in the middle of it.
_NATIVE = frozenset(
    {
        *("deltalake", "duckdb", "_duckdb", "lance", "icechunk", "obstore", "polars", "rasterio", "fiona", "pyogrio"),
        *("s3torchconnectorclient", "s3torchconnector"),
    }
)
_REMOTE = frozenset({"RemoteTraceback", "_RemoteTraceback"})
_CODE = re.compile(r"(?<![A-Za-z])(?:" + "|".join(sorted(_BY_CODE, key=len, reverse=True)) + r")(?![A-Za-z])")
_NONE = re.compile(r"NoCredentialsError|Unable to locate credentials|[Nn]o (?:AWS )?credentials|CredentialsNotLoaded")
# What object_store, GDAL and the SDK for C say where they find none, whichever error it comes in.
_NOT_FOUND = re.compile(
    r"http://169\.254\.169\.254/latest/api/token|No signing credentials available"
    r"|AWS_SECRET_ACCESS_KEY and AWS_NO_SIGN_REQUEST configuration options not defined"
)
_UNSIGNED = re.compile(r"AWS Error ACCESS_DENIED|PERMISSION_DENIED: .{0,400}AccessDenied", re.DOTALL)
_LONGEST = 20_000  # characters of a text that are looked at


def _by_text(error: BaseException) -> Reason | None:
    package = type(error).__module__.partition(".")[0]
    text = str(error)[:_LONGEST]
    if type(error) is ValueError:  # TensorStore's
        return "unsigned" if _UNSIGNED.match(text) else None
    if package not in _NATIVE and type(error) not in {OSError, PermissionError} and type(error).__name__ not in _REMOTE:
        return None
    code = _CODE.search(text)
    if code is not None:
        return _BY_CODE[code[0]]
    if type(error).__name__ in _REMOTE and _STILL_EXPIRED in text:
        return "over"
    if _NOT_FOUND.search(text) or (package in _NATIVE and _NONE.search(text)):
        return "none"
    return "unsigned" if _UNSIGNED.search(text) else None


def made_by(error: BaseException | None) -> Literal["client", "object", "pool", "connection"]:
    """Say what has to be made again for newer credentials."""
    for _ in range(_DEEPEST):
        if error is None:
            break
        package = type(error).__module__.partition(".")[0]
        if type(error).__name__ in _REMOTE:
            return "pool"
        if package in {"duckdb", "_duckdb"}:
            return "connection"
        if package in _NATIVE or (type(error) in {OSError, PermissionError} and _by_text(error) is not None):
            return "object"
        error = error.__cause__ or error.__context__
    return "client"
