"""
Links into the AWS console, through the access portal: account, role and page, and nothing secret.

The link is the portal's own ("shortcut links" in the guide of IAM Identity Center):
whoever opens it signs in there, in the browser, and needs the role assigned.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urlsplit

from cuaws_magic.aws.endpoints import service_names
from cuaws_magic.aws.hosts import check_start_url
from cuaws_magic.commands.names import Names
from cuaws_magic.commands.use import resolved
from cuaws_magic.errors import ConfigurationError, TargetError
from cuaws_magic.settings import ACCOUNT_ID
from cuaws_magic.views.accounts import ConsoleLink

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cuaws_magic.commands.context import Context
    from cuaws_magic.model import AccountRole, SsoSession
    from cuaws_magic.views.render import Display

# What people call a service, and the console's path for it where that is another word.
_PATHS = {
    "apigateway": "apigateway/main",
    "cloudwatch-logs": "cloudwatch",
    "codebuild": "codesuite/codebuild",
    "codecommit": "codesuite/codecommit",
    "codepipeline": "codesuite/codepipeline",
    "cost": "cost-management",
    "dynamodb": "dynamodbv2",
    "home": "console",
    "logs": "cloudwatch",
    "opensearch": "aos",
    "organizations": "organizations/v2",
    "parameters": "systems-manager/parameters",
    "redshift": "redshiftv2",
    "route53": "route53/v2",
    "secrets": "secretsmanager",
    "sns": "sns/v3",
    "sqs": "sqs/v3",
    "ssm": "systems-manager",
    "sso": "singlesignon",
    "stepfunctions": "states",
    "vpc": "vpcconsole",
    "waf": "wafv2/homev2",
}
_SAME_WORD = (
    "athena", "backup", "batch", "bedrock", "billing", "cloudformation", "cloudfront", "cloudmap", "cloudshell",
    "cloudtrail", "cloudwatch", "cognito", "comprehend", "datazone", "ec2", "ecr", "ecs", "efs", "eks", "elasticache",
    "emr", "fsx", "glue", "guardduty", "iam", "kinesis", "kms", "lakeformation", "lambda", "rds", "rekognition", "s3",
    "sagemaker", "secretsmanager", "servicequotas", "ses", "states", "support", "systems-manager", "textract",
    "transfer",
)  # fmt: skip

SERVICES = tuple(sorted({*_PATHS, *_SAME_WORD}))

_SERVICE = re.compile(r"[a-z0-9-]+")
_REGION = re.compile(r"[a-z0-9-]+")


def console_url(sso_session: SsoSession, account_id: str, role_name: str, destination: str | None = None) -> str:
    """
    Return the access portal's link for an account and role.

    Args:
        sso_session: Whose portal.

        account_id: The account, twelve digits.

        role_name: The role.

        destination: Page of the console to land on; its first page without.

    Raises:
        ConfigurationError: The start URL is not that of an access portal of AWS.
    """
    check_start_url(sso_session.start_url)
    parts = urlsplit(sso_session.start_url)
    query = {"account_id": account_id, "role_name": role_name}
    if destination is not None:
        query["destination"] = destination
    # `quote_via`: the portal reads `%20`, not `+`.
    return f"https://{parts.netloc}{parts.path.rstrip('/')}/#/console?{urlencode(query, quote_via=quote, safe='')}"


def console_page(sso_session: SsoSession, service: str, region: str) -> str:
    """
    Return the address of a service's page, in the partition of a sign-in.

    Args:
        sso_session: Tells the partition.

        service: One of `SERVICES`, or the console's own word.

        region: Which region the page shows.

    Raises:
        ConfigurationError: That cannot be a service or region.
    """
    name = service.casefold()
    if not _SERVICE.fullmatch(name):
        raise ConfigurationError(
            f"{service!r} is not the name of an AWS service: small letters, digits and hyphens. "
            "Type `%cuaws console s3`, for example."
        )
    known = {*SERVICES, *(path.split("/")[0] for path in _PATHS.values())}
    if name not in known and name not in (known := known | service_names()):
        near = difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.6) or ["s3", "ec2", "cloudwatch"]
        raise ConfigurationError(
            f"The console has no page {name} that is known here. Nearest: {', '.join(near)}. "
            f"Type `%cuaws console {near[0]}`."
        )
    if not _REGION.fullmatch(region):
        raise ConfigurationError(f"{region!r} is not a region. Type `%cuaws use ACCOUNT --region us-west-2`.")
    path = _PATHS.get(name, name)
    page = path if path.endswith("/homev2") else f"{path}/home"
    return f"https://{_console_host(sso_session)}/{page}?region={region}"


def _console_host(sso_session: SsoSession) -> str:
    host, region = urlsplit(sso_session.start_url).hostname or "", sso_session.sso_region
    if host.endswith(".cn") or region.startswith("cn-"):
        return "console.amazonaws.cn"
    if host.endswith((".us-gov-home.awsapps.com", ".us-gov.amazonaws.com")) or region.startswith("us-gov-"):
        return "console.amazonaws-us-gov.com"
    if host.endswith(".eu") or region.startswith("eusc-"):
        return "console.amazonaws-eusc.eu"
    return "console.aws.amazon.com"


def console(context: Context, display: Display, service: str | None = None, target: str | None = None) -> ConsoleLink:
    """
    Return the link for a target, or for the account in use.

    Args:
        display: Where the card of a sign-in goes.

        service: The service; a name that is no service but a target is taken as that.

        target: Profile, account name, account id, or one of them with `/role`.

    Raises:
        ConfigurationError: That cannot be a service.

        TargetError: There is no such account, or none is in use.

        NotSignedIn: The portal has to be asked, and nobody approved a sign-in.
    """
    if service is not None and target is None and means_target(service, Names(context).target_names()):
        service, target = None, service
    account_role, region = _chosen(context, display, target)
    sso_session = account_role.sso_session
    page = console_page(sso_session, service, region) if service is not None else None
    return ConsoleLink(
        url=console_url(sso_session, account_role.account.id, account_role.role_name, page),
        account=account_role.account.id,
        account_name=account_role.account.name,
        role=account_role.role_name,
        service=service,
        notes=tuple(_notes(context)),
        production=context.settings.is_production(account_role.account.name),
    )


def _chosen(context: Context, display: Display, target: str | None) -> tuple[AccountRole, str]:
    if target is not None:
        account_role = resolved(context, display, target)
        return account_role, account_role.region or context.choice.region(account_role.sso_session)
    current = context.credentials.current
    if current is None:
        raise TargetError(
            "No account is in use in this kernel. Type `%cuaws use ACCOUNT`, or name one: `%cuaws console s3 ACCOUNT`."
        )
    if current.account_role is None:
        raise TargetError(
            f"{current.account.name} is in use with {current.source.origin.label}, and a link leads through the "
            "sign-in. Name an account: `%cuaws console s3 ACCOUNT`."
        )
    return current.account_role, current.region


def _notes(context: Context) -> Iterable[str]:
    if context.environ.get("AWS_ENDPOINT_URL_SSO"):
        yield "AWS_ENDPOINT_URL_SSO is set, perhaps for a practice portal; this link opens the real console."


def means_target(word: str, target_names: Iterable[str]) -> bool:
    """Whether a word alone, in the place of a service, is an account or profile."""
    fold = word.casefold()
    if fold in SERVICES:
        return False
    named = ACCOUNT_ID.fullmatch(word) is not None or fold in {name.casefold() for name in target_names}
    return named or "/" in word
