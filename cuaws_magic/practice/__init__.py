"""
The practice portal: a pretend IAM Identity Center on loopback, with moto as the pretend AWS behind it.

It stands beside the product: nothing of `cuaws_magic` imports it, and it imports nothing else of the package.
It needs the extra `practice` (`pip install "cuaws-magic[practice]"`).
"""

from __future__ import annotations

from cuaws_magic.practice.journal import Call
from cuaws_magic.practice.knobs import Failure, Knobs
from cuaws_magic.practice.portal import PracticePortal

__all__ = ["Call", "Failure", "Knobs", "PracticePortal"]
