"""
The command line, for what happens outside a kernel: `cuaws-magic practice`, `cuaws-magic credentials`.

`python -m cuaws_magic` is the same.
"""

import sys

_SESSION = "--session"


def main(argv: "list[str] | None" = None) -> int:
    """Run a command; returns the exit status."""
    words = sys.argv[1:] if argv is None else argv
    import argparse

    from cuaws_magic import __version__

    parser = argparse.ArgumentParser(
        prog="cuaws-magic",
        description="What cuaws_magic does outside a notebook. Inside, type `%load_ext cuaws_magic` and `%cuaws`.",
    )
    parser.add_argument("--version", action="version", version=f"cuaws-magic {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    practice = commands.add_parser("practice", help="run the practice portal: a first try without AWS")
    if words[:1] == ["practice"]:  # its parts are large, and the other commands need none of them
        from cuaws_magic.practice import command

        command.add_arguments(practice)
    credentials = commands.add_parser("credentials", help="print credentials, for `credential_process` of a profile")
    credentials.add_argument("target", metavar="ACCOUNT/ROLE", help="the id of an account, and a role")
    credentials.add_argument(_SESSION, metavar="NAME", help="the name of an [sso-session]")
    stamp = commands.add_parser("stamp", help="say in a notebook which account it is made for")
    stamp.add_argument("notebook", metavar="NOTEBOOK")
    which = stamp.add_mutually_exclusive_group(required=True)
    which.add_argument("--account", metavar="ACCOUNT", help="name or id")
    which.add_argument("--remove", action="store_true", help="take the stamp out again")
    stamp.add_argument("--role", metavar="R", help="the role")
    stamp.add_argument("--region", metavar="R", help="the region for its clients")
    autoload = commands.add_parser("autoload", help="have every notebook load %%cuaws by itself")
    autoload.add_argument("--account", metavar="ACCOUNT", help="what `%%cuaws use` alone means at first")
    autoload.add_argument("--remove", action="store_true", help="take it out again")
    scrub = commands.add_parser("scrub", help="take AWS secrets out of notebooks")
    scrub.add_argument("paths", metavar="PATH", nargs="+", help="notebooks and folders; - reads stdin, for git")
    scrub.add_argument("--check", action="store_true", help="only look; exit status 1 where something is found")
    scrub.add_argument("--account-ids", action="store_true", help="account ids as well")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a locale or a file that lacks our signs
    arguments = parser.parse_args(words)
    if arguments.command == "credentials":
        from cuaws_magic.commands.credential_process import print_credentials

        return print_credentials(arguments.target, arguments.session)
    if arguments.command == "autoload":
        from cuaws_magic.commands.autoload import autoload as write_profile

        return write_profile(arguments.account, remove=arguments.remove)
    if arguments.command == "scrub":
        from cuaws_magic.commands.scrub import scrub_files

        return scrub_files(arguments.paths, check=arguments.check, account_ids=arguments.account_ids)
    if arguments.command == "stamp":
        from cuaws_magic.commands.stamp import stamp as write

        return write(arguments.notebook, arguments.account, arguments.role, arguments.region, remove=arguments.remove)
    return command.run(arguments)


if __name__ == "__main__":
    sys.exit(main())
