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
from cuaws_magic.aws.hosts import is_aws
from cuaws_magic.errors import ConfigurationError

if TYPE_CHECKING:
    from cuaws_magic.model import SsoSession

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


def console_url(portal: str, account_id: str, role_name: str, destination: str | None = None) -> str:
    """
    Return the access portal's link for an account and role.

    Args:
        portal: The address of the access portal, as `StartUrls` knows it.

        account_id: The account, twelve digits.

        role_name: The role.

        destination: Page of the console to land on; its first page without.

    Raises:
        ValueError: It is not on a host of AWS.
    """
    if not is_aws(portal):
        raise ValueError(portal)
    parts = urlsplit(portal)
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
