"""The network between this machine and AWS, for the tests of this folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from way_out import WayOut

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cuaws_magic.practice import PracticePortal


@pytest.fixture
def way_out(portal: PracticePortal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WayOut]:
    """A network with a proxy; AWS's own names lead to the practice portal."""
    for name in portal.environment:
        monkeypatch.delenv(name)
    for name in ("NO_PROXY", "no_proxy", "https_proxy", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    names = ("aws.example.edu", "other.example.edu")
    with WayOut(portal, tmp_path / "certificate.pem", names) as way_out:
        monkeypatch.setenv("HTTPS_PROXY", way_out.url)
        monkeypatch.setenv("AWS_CA_BUNDLE", str(way_out.certificate))
        yield way_out
