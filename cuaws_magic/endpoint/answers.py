"""What the container-credentials service answers: credentials as SDKs read them, or why there are none."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cuaws_magic.model import Credentials

# The C++ SDK allows http to the literal address only, object_store only together with a token file.
HOST = "127.0.0.1"

# SDKs want to know when to ask again; keys without an end are asked for again and are the same.
_ASSUMED_LIFE = timedelta(hours=1)


def of_credentials(credentials: Credentials, now: datetime) -> dict[str, str]:
    """Write credentials as the service does (Amazon ECS, "task IAM roles")."""
    ends_at = (credentials.expires_at or now + _ASSUMED_LIFE).astimezone(timezone.utc)
    token = credentials.session_token
    content = {
        "AccessKeyId": credentials.access_key_id.reveal(),
        "SecretAccessKey": credentials.secret_access_key.reveal(),
        "Token": token.reveal() if token is not None else "",
        # Some SDKs read no offset but `Z`, and no fraction of a second.
        "Expiration": ends_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    if credentials.account_id:
        content["AccountId"] = credentials.account_id
    return content


def refusal(code: str, message: str) -> dict[str, str]:
    """Return the content of an answer that is no credentials."""
    return {"code": code, "message": message}
