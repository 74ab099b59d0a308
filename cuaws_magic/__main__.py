"""
The command line, for what happens outside a kernel: `cuaws-magic practice`.

`python -m cuaws_magic` is the same.
"""

from __future__ import annotations

import argparse
import sys

from cuaws_magic import __version__


def main(argv: list[str] | None = None) -> int:
    """Run a command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="cuaws-magic",
        description="What cuaws_magic does outside a notebook. Inside, type `%load_ext cuaws_magic` and `%cuaws`.",
    )
    parser.add_argument("--version", action="version", version=f"cuaws-magic {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    practice = commands.add_parser("practice", help="run the practice portal: a first try without AWS")
    from cuaws_magic.practice import command

    command.add_arguments(practice)
    return command.run(parser.parse_args(argv))


if __name__ == "__main__":
    sys.exit(main())
