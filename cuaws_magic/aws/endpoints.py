"""Where what does not work comes from: an address or certificates of a setting, or a region that there is not."""

from __future__ import annotations

import difflib
import functools
import importlib.util
import os
import re
from pathlib import Path

from cuaws_magic.background import import_whole

# Where the three services are: `sts`, `oidc` and `portal.sso`, each in its region.
_ENDPOINT = re.compile(r"https://(?:sts|oidc|portal\.sso)\.([a-z]+(?:-[a-z]+)+-[0-9]+)\.")


def setting_of(address: str) -> str | None:
    """Name the setting that an address comes from: a variable, or section and file; `None` for AWS's own."""
    import_whole("botocore.session")
    import botocore.session
    from botocore.exceptions import BotoCoreError

    def same(value: object) -> bool:
        # The address is that of a request, and has the path of its operation.
        return isinstance(value, str) and f"{address}/".startswith(f"{value.rstrip('/')}/")

    for name, value in os.environ.items():
        if name.startswith("AWS_ENDPOINT_URL") and same(value):
            return name
    try:
        session = botocore.session.Session()
        full = session.full_config
        path = os.path.expanduser(session.get_config_variable("config_file"))  # noqa: PTH111 - as botocore does
    except (BotoCoreError, OSError):
        return None
    for kind, sections in (("profile ", full.get("profiles", {})), ("services ", full.get("services", {}))):
        for name, settings in sections.items():
            blocks = [block for block in settings.values() if isinstance(block, dict)]
            if any(same(one.get("endpoint_url")) for one in (settings, *blocks)):
                header = name if (kind, name) == ("profile ", "default") else f"{kind}{name}"
                return f"endpoint_url of [{header}] in {path}"
    return None


def missing_certificates() -> tuple[str, str] | None:
    """Return a file of certificates that is not there, and the setting that names it; in botocore's order."""
    import_whole("botocore.session")
    import botocore.session
    from botocore.exceptions import BotoCoreError

    try:
        session = botocore.session.Session()
        said = session.get_config_variable("ca_bundle")
        path = os.path.expanduser(session.get_config_variable("config_file"))  # noqa: PTH111 - as botocore does
    except (BotoCoreError, OSError):
        return None
    setting = "AWS_CA_BUNDLE"
    if said and not os.environ.get(setting):
        profile = session.profile or "default"
        setting = f"ca_bundle of [{profile if profile == 'default' else f'profile {profile}'}] in {path}"
    if not said:
        setting, said = "REQUESTS_CA_BUNDLE", os.environ.get("REQUESTS_CA_BUNDLE")
    return (said, setting) if said and not Path(said).exists() else None


def unknown_region(endpoint: str) -> tuple[str, str] | None:
    """Return the region of an endpoint that botocore does not know, with the nearest that it knows."""
    found = _ENDPOINT.match(endpoint)
    if found is None or found[1] in _known_regions():
        return None
    return found[1], difflib.get_close_matches(found[1], _known_regions(), n=1, cutoff=0.0)[0]


@functools.cache
def service_names() -> frozenset[str]:
    """Return the names of all services that botocore knows; reads the names of its files, and imports nothing."""
    spec = importlib.util.find_spec("botocore")
    folder = Path(str(spec.origin)).parent / "data" if spec is not None else None
    return frozenset(one.name for one in folder.iterdir() if one.is_dir()) if folder is not None else frozenset()


@functools.cache
def _known_regions() -> tuple[str, ...]:
    import_whole("botocore.session")
    from botocore.session import Session

    session = Session()
    return tuple(
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("sts", partition_name=partition)
    )
