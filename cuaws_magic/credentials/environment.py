"""
The door to this process's environment variables.

Whatever reads AWS credentials from the environment finds one complete set here. What stood
there before is remembered and comes back, variable by variable. A variable that somebody
changed by hand in between is theirs: it is neither overwritten nor restored.

There are three ways. `env`: keys in `os.environ`, and so in every child process. `split`: keys in
`os.environ` only; native libraries and child processes find the address where this kernel serves
them instead (`native_environment`). `endpoint`: that address alone, and keys nowhere.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from cuaws_magic.credentials.native_environment import NativeEnvironment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, MutableMapping

    from cuaws_magic.model import Credentials

# What is set, and for whom. The order is the order of writing: the expiration comes
# last, since botocore reads the others again only when it says that they are old.
SET = {
    "AWS_ACCESS_KEY_ID": "the keys, for everything that speaks AWS",
    "AWS_SECRET_ACCESS_KEY": "the keys, for everything that speaks AWS",
    "AWS_SESSION_TOKEN": "the keys, for everything that speaks AWS",
    "AWS_ACCOUNT_ID": "botocore's account-based endpoints",
    "AWS_REGION": "AWS CLI v2 and most SDKs",
    "AWS_DEFAULT_REGION": "boto3 and older SDKs, which read nothing else",
    "AWS_CREDENTIAL_EXPIRATION": "makes botocore read these variables again before they end",
}

# What is taken out meanwhile, and why.
TAKEN_OUT = {
    "AWS_PROFILE": "a profile would win over the keys in some SDKs",
    "AWS_DEFAULT_PROFILE": "boto3 reads it before AWS_PROFILE",
    "AWS_SECURITY_TOKEN": "botocore reads it before AWS_SESSION_TOKEN, and an old one breaks the set",
}

# What is taken out for a profile that is to be found by its name, and why.
TAKEN_OUT_FOR_A_PROFILE = {
    "AWS_DEFAULT_PROFILE": "boto3 reads it before AWS_PROFILE",
    "AWS_ACCESS_KEY_ID": "keys win over a profile",
    "AWS_SECRET_ACCESS_KEY": "keys win over a profile",
    "AWS_SESSION_TOKEN": "keys win over a profile",
    "AWS_SECURITY_TOKEN": "keys win over a profile",
    "AWS_CREDENTIAL_EXPIRATION": "it belongs to the keys",
    "AWS_ACCOUNT_ID": "it belongs to the keys",
    "AWS_ROLE_ARN": "the role of a hub's pod wins over a profile of Identity Center",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "the role of a hub's pod wins over a profile of Identity Center",
}

# Where an SDK asks for credentials: the address, and the file with the token that opens it.
ADDRESS = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
TOKEN_FILE = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"  # noqa: S105 - the name of a variable

# What would win over that address, and what it is on a hub: the role of a pod (EKS), of a task (ECS).
WINS_OVER_ADDRESS = {
    "AWS_ROLE_ARN": "a web identity is asked first (EKS)",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "a web identity is asked first (EKS)",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "it wins over the full address (ECS)",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN": "it belongs to another address",
}

# What is the same as long as this set is: without them there are no keys.
_OF_THE_KEYS = (
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
)  # fmt: skip

# Without these as we wrote them, the environment is somebody else's.
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")


_NOTHING: Mapping[str, str | None] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Served:
    """
    Where credentials are served to what inherits the environment.

    Attributes:
        url: The address.

        token_file: The file with the token that opens it.

        keys_too: Python code finds keys in `os.environ` (`split`); otherwise they are nowhere (`endpoint`).

        with_profile: Child processes find the name of the profile too: it leads to the same account by itself.
    """

    url: str
    token_file: str
    keys_too: bool = True
    with_profile: bool = False


class KernelEnvironment:
    """
    Puts one set of role credentials into an environment and takes it out again.

    Args:
        environ: The environment; in production this process's own.
    """

    def __init__(self, environ: MutableMapping[str, str] = os.environ) -> None:
        self._environ = environ
        self._native = NativeEnvironment(environ)
        self._found: dict[str, str | None] = {}
        self._ours: dict[str, str | None] = {}

    @property
    def installed(self) -> bool:
        """Whether a set is in the environment that we put there."""
        return bool(self._ours)

    @property
    def touched(self) -> tuple[str, ...]:
        """The variables of ours that somebody changed by hand since."""
        return tuple(name for name, value in self._ours.items() if self._environ.get(name) != value)

    @property
    def keys_touched(self) -> bool:
        """Whether somebody put keys, or a profile instead of ours, in since."""
        by_name = self._ours.get("AWS_PROFILE") is not None and self._ours.get("AWS_ACCESS_KEY_ID") is None
        ours = (*KEYS, "AWS_PROFILE") if by_name else KEYS
        return any(name in ours for name in self.touched)

    @property
    def region_touched(self) -> bool:
        """Whether somebody changed the region since; what is found afterwards is theirs."""
        return bool({"AWS_REGION", "AWS_DEFAULT_REGION"} & set(self.touched))

    @property
    def split(self) -> bool:
        """Whether child processes find an address instead of the keys that Python code finds."""
        return bool(self._native)

    def inherited(self) -> dict[str, str]:
        """Return what a child process inherits."""
        merged = {**self._environ, **self._native.apart}
        return {name: value for name, value in merged.items() if value is not None}

    def follow_a_hand(self) -> None:
        """Have child processes inherit what somebody put into `os.environ` in place of ours; cheap, for every cell."""
        if self._native and any(self._environ.get(name) != self._ours.get(name) for name in KEYS):
            self._native.join()

    def found(self, name: str) -> str | None:
        """Return a variable as it is without us."""
        if name in self._ours and self._environ.get(name) == self._ours[name]:
            return self._found[name]
        return self._environ.get(name)

    @contextlib.contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """Have every variable as it was, if the block does not come to its end: an interrupt may come anywhere."""
        names = {*SET, *TAKEN_OUT, *TAKEN_OUT_FOR_A_PROFILE, *WINS_OVER_ADDRESS, ADDRESS, TOKEN_FILE}
        before = {name: self._environ.get(name) for name in names}
        ours, found, apart = self._ours, self._found, self._native.apart
        try:
            yield
        except BaseException:
            self._ours, self._found = ours, found
            self._native.set_apart(apart)
            for name, value in before.items():
                self._native.write(name, value)
            self._native.join(keep=apart)
            raise

    def install(
        self,
        credentials: Credentials,
        region: str,
        client_profile: str | None = None,
        served: Served | None = None,
    ) -> None:
        """
        Put a set in, in place of what was put in before.

        Args:
            client_profile: The profile whose client settings are to hold. botocore and the AWS CLI read endpoints,
                retries and S3 options of the profile that `AWS_PROFILE` names, also where keys win over it.

            served: Where the same credentials are served, for the ways `split` and `endpoint`.
        """
        values = {
            **dict.fromkeys(TAKEN_OUT),
            "AWS_PROFILE": client_profile,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            **_variables(credentials),
        }
        if served is None:
            self._replace(values)
            return
        instead = {
            **dict.fromkeys((*_OF_THE_KEYS, *WINS_OVER_ADDRESS)),
            ADDRESS: served.url,
            TOKEN_FILE: served.token_file,
            "AWS_PROFILE": client_profile if served.with_profile else None,
        }
        if served.keys_too:
            self._replace(values, apart=instead)
        else:
            self._replace({**values, **instead, "AWS_PROFILE": client_profile})

    def install_profile(self, name: str) -> None:
        """Put the name of a profile in, in place of what was put in before, and nothing else."""
        self._replace({**dict.fromkeys(TAKEN_OUT_FOR_A_PROFILE), "AWS_PROFILE": name})

    def renew(self, credentials: Credentials) -> bool:
        """
        Put newer credentials of the same account in.

        Returns:
            `False`, and nothing done, if somebody put keys of their own in since.
        """
        if not self._ours or self.keys_touched:
            return False
        if self._ours.get("AWS_ACCESS_KEY_ID") is None:
            return True  # they are served, and not here
        values = {name: value for name, value in _variables(credentials).items() if name not in self.touched}
        with self.all_or_nothing():
            self._ours = {**self._ours, **values}
            for name, value in values.items():
                self._native.write(name, value)
        return True

    def snapshot(self) -> Callable[[], None]:
        """Note every variable as it is now, by whomever; what comes back puts all of them back."""
        names = {*SET, *TAKEN_OUT, *TAKEN_OUT_FOR_A_PROFILE, *WINS_OVER_ADDRESS, ADDRESS, TOKEN_FILE}
        before = {name: self._environ.get(name) for name in names}
        ours, found, apart = self._ours, self._found, self._native.apart

        def put_back() -> None:
            with self.all_or_nothing():
                self._native.set_apart(apart)
                for name, value in before.items():
                    self._native.write(name, value)
                self._native.join(keep=apart)
                self._ours, self._found = ours, found

        return put_back

    def remove(self) -> None:
        """Take the set out; every variable is again as it was found."""
        with self.all_or_nothing():
            for name, value in self._ours.items():
                if self._environ.get(name) == value:
                    self._native.write(name, self._found[name])
            self._native.join()
            self._ours, self._found = {}, {}

    def _replace(self, values: dict[str, str | None], apart: Mapping[str, str | None] = _NOTHING) -> None:
        before, found = self._ours, self._found
        if values == before and not self.touched and dict(apart) == dict(self._native.apart):
            return  # the same account again
        now_found = {name: self.found(name) for name in values}
        with self.all_or_nothing():
            # First what is to be apart: then no key is in the C environment at any moment.
            self._native.set_apart(apart)
            for name in before.keys() - values.keys():
                if self._environ.get(name) == before[name]:
                    self._native.write(name, found[name])
            for name, value in values.items():
                self._native.write(name, value)
            self._native.join(keep=apart)
            self._ours, self._found = values, now_found


def _variables(credentials: Credentials) -> dict[str, str | None]:
    """Return what to write; a variable that this set has no value for is taken out, or it would mix two sets."""
    token, expires_at = credentials.session_token, credentials.expires_at
    return {
        "AWS_ACCESS_KEY_ID": credentials.access_key_id.reveal(),
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key.reveal(),
        "AWS_SESSION_TOKEN": token.reveal() if token is not None else None,
        "AWS_ACCOUNT_ID": credentials.account_id,
        "AWS_CREDENTIAL_EXPIRATION": expires_at.isoformat() if expires_at is not None else None,
    }
