"""Who uses the practice portal and what they may do: the people, accounts and roles of CU's own guide."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass

USER = "ralphie@colorado.edu"
START_URL = "https://cuboulder.awsapps.com/start"
SSO_REGION = "us-west-2"

# The second organisation of `--organisations 2`: a partner of CU's, with an account of a name that CU has too.
PARTNER_START_URL = "https://partner.awsapps.com/start"

_SUBJECTS = ("astro", "biochem", "climate", "ecology", "geodesy", "hydrology", "linguistics", "neuro", "soil")
_STAGES = ("dev", "prod", "test")
_ROLES = ("Researcher", "DataSteward", "ReadOnly")
# The guide prints these two for MyRole in the first account, so a learner can compare letter by letter.
_GUIDE_ROLE = ("111111111111", "MyRole")


@dataclass(frozen=True, slots=True)
class PretendAccount:
    """An AWS account that does not exist, with the roles that the user may take in it."""

    account_id: str  # 12 digits, a string: one of them begins with a zero
    name: str
    roles: tuple[str, ...]

    @property
    def email(self) -> str:
        """The address of the account's owner."""
        return f"{self.name}@colorado.edu"


BUILT_IN = (
    PretendAccount("111111111111", "awsucob0myaccount", ("MyRole",)),
    PretendAccount("222222222222", "awsucob0myotheraccount", ("MyOtherRole",)),
    PretendAccount("333333333333", "awsucob0production", ("ReadOnly", "Admin")),
    PretendAccount("044444444444", "research-climate-dev", ("Researcher", "DataSteward")),
    PretendAccount("555555555555", "research-genomics", ("Researcher",)),
)


PARTNER = (
    PretendAccount("666666666666", "partner-imaging", ("Researcher",)),
    PretendAccount("777777777777", "research-genomics", ("Researcher",)),
)


def start_urls(organisations: int) -> tuple[str, ...]:
    """List the start URLs of that many organisations."""
    return (START_URL, PARTNER_START_URL)[:organisations]


def accounts_of(start_url: str, generated: int = 0, organisations: int = 1) -> tuple[PretendAccount, ...]:
    """List the accounts behind a start URL; with one organisation, whatever the URL, they are CU's."""
    if organisations > 1 and start_url.rstrip("/#") != START_URL:
        return PARTNER if start_url.rstrip("/#") == PARTNER_START_URL else ()
    return accounts(generated)


def accounts(generated: int = 0) -> tuple[PretendAccount, ...]:
    """List the built-in accounts and `generated` more, always the same ones in the same order."""
    return BUILT_IN + _all_generated(generated)


@functools.lru_cache(maxsize=4)
def _all_generated(count: int) -> tuple[PretendAccount, ...]:
    return tuple(_generated(number) for number in range(count))


def iam_role_name(account_id: str, role_name: str) -> str:
    """Name the IAM role that a permission set makes in an account."""
    if (account_id, role_name) == _GUIDE_ROLE:
        return f"AWSReservedSSO_{role_name}_{'a' * 16}"
    return f"AWSReservedSSO_{role_name}_{_digest(account_id, role_name)[:16]}"


def iam_role_id(account_id: str, role_name: str) -> str:
    """Make the unique id of that IAM role: 21 characters, the same every time."""
    if (account_id, role_name) == _GUIDE_ROLE:
        return "A" * 21
    letters = str.maketrans("0123456789abcdef", "ABCDEFGHIJKLMNOP")
    return "AROA" + _digest("role id", account_id, role_name)[:17].translate(letters)


def _generated(number: int) -> PretendAccount:
    digest = int(_digest("account", str(number)), 16)
    subject = _SUBJECTS[digest % len(_SUBJECTS)]
    stage = _STAGES[digest // 16 % len(_STAGES)]
    roles = _ROLES[: 1 + digest // 256 % len(_ROLES)]
    return PretendAccount(f"{digest % 10**12:012d}", f"research-{subject}-{stage}-{number:03d}", roles)


def _digest(*words: str) -> str:
    return hashlib.sha256("/".join(words).encode()).hexdigest()
