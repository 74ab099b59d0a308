"""The command `cuaws-magic practice`: runs the practice portal until it is interrupted."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, TextIO

from cuaws_magic.practice.people import PARTNER_START_URL, SSO_REGION

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping
    from types import FrameType

SHELLS = ("sh", "powershell", "cmd", "python", "json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("--lab", action="store_true", help="JupyterLab with the portal behind it: nothing to set up")
    parser.add_argument("--port", type=int, default=0, help="port of the portal (default: a free one)")
    parser.add_argument("--aws-port", type=int, default=0, help="port of its AWS (default: a free one)")
    parser.add_argument(
        "--approve-after",
        type=int,
        metavar="N",
        help="approve by itself at the N-th poll (default: a person does)",
    )
    parser.add_argument("--accounts", type=int, default=0, metavar="N", help="add N more pretend accounts")
    parser.add_argument(
        "--organisations",
        type=int,
        choices=(1, 2),
        default=1,
        metavar="N",
        help="2: also a partner's, with another start URL (default: 1)",
    )
    parser.add_argument(
        "--role-lifetime",
        type=float,
        default=4 * 3600,
        metavar="S",
        help="seconds that role credentials live",
    )
    parser.add_argument(
        "--token-lifetime", type=float, default=8 * 3600, metavar="S", help="seconds that an SSO token lives"
    )
    parser.add_argument(
        "--shell",
        choices=SHELLS,
        default="powershell" if os.name == "nt" else "sh",
        help="how to write the variables (default: %(default)s)",
    )


def run(arguments: argparse.Namespace, output: TextIO | None = None) -> int:
    """Run the portal until Ctrl-C or SIGTERM; returns the exit status."""
    output = output or sys.stdout
    try:
        from cuaws_magic.practice import Knobs, PracticePortal  # says what is missing, below

        knobs = Knobs(
            approve_after=arguments.approve_after,
            accounts=arguments.accounts,
            organisations=arguments.organisations,
            role_lifetime=arguments.role_lifetime,
            token_lifetime=arguments.token_lifetime,
        )
        if arguments.lab:
            from cuaws_magic.practice.lab import run as run_lab

            return run_lab(knobs)
        portal = PracticePortal(knobs, arguments.port, arguments.aws_port)
        portal.start()
    except ImportError as error:
        missing = f'The practice portal needs {error.name}. Run: pip install "cuaws-magic[practice]"'
        print(missing, file=sys.stderr)  # noqa: T201 - a command's own words
        return 1
    except (OSError, OverflowError) as error:
        print(  # noqa: T201 - the same
            f"The practice portal could not start: {error}. Choose another --port or --aws-port.",
            file=sys.stderr,
        )
        return 1
    try:
        text = announcement(portal.environment, arguments.shell, arguments.organisations)
        _wait_for_the_end(lambda: print(text, file=output, flush=True))
    finally:
        portal.stop()
    return 0


def announcement(environment: Mapping[str, str], shell: str, organisations: int = 1) -> str:
    """Write one sentence, the variables and the link; all of it can be pasted into that shell."""
    link = environment["AWS_ENDPOINT_URL_SSO"]
    sentence = "The practice portal is running; it is not AWS. Ctrl-C ends it. Set these variables:"
    opened = f"Then open {link}/"
    if shell == "json":
        return json.dumps({"about": sentence, "environment": dict(environment), "url": f"{link}/"}, indent=2)
    if shell == "python":
        lines = ["import os", f"os.environ.update({json.dumps(dict(environment), indent=4)})"]
    else:
        form = {"sh": 'export {}="{}"', "powershell": '$Env:{}="{}"', "cmd": "set {}={}"}[shell]
        lines = [form.format(name, value) for name, value in environment.items()]
    mark = "rem" if shell == "cmd" else "#"
    partner = f"The second organisation: %cuaws login --session partner --start-url {PARTNER_START_URL}"
    more = [f"{mark} {partner} --sso-region {SSO_REGION}"] if organisations > 1 else []
    return "\n".join([f"{mark} {sentence}", *lines, f"{mark} {opened}", *more])


def _wait_for_the_end(announce: Callable[[], None]) -> None:
    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - as signal calls it
        ended.set()

    main = threading.current_thread() is threading.main_thread()  # only there can signals be caught
    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)} if main else {}
    try:
        announce()
        # In short waits: on Windows an endless one would not notice Ctrl-C.
        while not ended.wait(0.5):
            pass
    except KeyboardInterrupt:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
