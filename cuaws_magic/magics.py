"""
The `%cuaws` magic.

    In [1]: %load_ext cuaws_magic

    In [2]: %cuaws use awsucob0myaccount

Parses the line, calls one method of the app, shows what comes back. The rest of the
package is imported with the first command, so that loading costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, magics_class
from traitlets import Unicode

from cuaws_magic.commands import Grammar
from cuaws_magic.settings import Settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from cuaws_magic.app import App
    from cuaws_magic.results import View
    from cuaws_magic.show import NotebookFace, TerminalFace


@magics_class
class CuawsMagics(Magics):
    """AWS credentials in this kernel. Settings here hold where no argument says otherwise."""

    session = Unicode("", help="Name of the [sso-session] to sign in with.").tag(config=True)
    start_url = Unicode("", help="Address of the access portal of the organisation.").tag(config=True)
    sso_region = Unicode("", help="Region of its Identity Center.").tag(config=True)
    region = Unicode("", help="Region for AWS clients of this kernel.").tag(config=True)

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self._grammar = Grammar()
        self._app: App | None = None

    @line_cell_magic("cuaws")  # type: ignore[arg-type]  # IPython is half typed
    def cuaws(self, line: str, cell: str | None = None) -> View | None:
        """Parse the line, call the app, show the result. `%cuaws?` shows the grammar's help instead of this."""
        if cell is not None:
            raise UsageError("No command takes a cell yet. Type `%cuaws` with one percent sign, on a line of its own.")
        arguments = self._grammar.parse(line)
        if arguments.help:
            print(self._grammar.help(arguments.command))  # noqa: T201 - this text is for a person
            return None
        return self._face.result(self._run(arguments))

    def help(self) -> str:
        """Return what `%cuaws?` shows."""
        return self._grammar.help()

    def complete(self, _: object, event: Any) -> list[str]:
        """Complete the line (IPython's `complete_command` hook)."""
        line = event.text_until_cursor.rsplit("\n", 1)[-1]
        return self._grammar.complete(
            line[line.index("%cuaws") :] if "%cuaws" in line else line, event.symbol, self.app
        )

    @property
    def app(self) -> App:
        """The app of this process, made with the first command."""
        if self._app is None:
            from cuaws_magic.app import the_app

            self._app = the_app()
            self._app.configure(
                Settings(self.session or None, self.start_url or None, self.sso_region or None, self.region or None)
            )
        return self._app

    def unload(self) -> None:
        """Leave the kernel as it was found."""
        if self._app is not None:
            self._app.release()
            self._face.done()

    @property
    def _face(self) -> NotebookFace | TerminalFace:
        from cuaws_magic.show import face_of

        return face_of(self.shell)

    def _run(self, arguments: argparse.Namespace) -> View:
        app, show = self.app, self._face
        runs: dict[str, Callable[[], View]] = {
            "status": app.status,
            "login": lambda: app.login(
                show,
                Settings(arguments.session, arguments.start_url, arguments.sso_region),
                force=arguments.force,
                wait=not arguments.no_wait,
                timeout=arguments.timeout,
            ),
            "logout": lambda: app.logout(every=arguments.all),
            "use": lambda: app.use(
                show, arguments.target, role=arguments.role, region=arguments.region, verify=not arguments.no_verify
            ),
            "release": app.release,
            "whoami": app.whoami,
            "accounts": lambda: app.accounts(show, arguments.pattern, roles=arguments.roles, refresh=arguments.refresh),
        }
        return runs[arguments.command]()


def load(shell: Any) -> None:
    """Register the magic and its completion."""
    magics = CuawsMagics(shell)
    CuawsMagics.cuaws.__doc__ = magics.help()  # type: ignore[assignment]  # as above
    shell.register_magics(magics)
    shell.set_hook("complete_command", magics.complete, str_key="%cuaws")


def unload(shell: Any) -> None:
    """Take the magic out, and the credentials out of the kernel."""
    magics = shell.magics_manager.registry.get("CuawsMagics")
    if magics is not None:
        magics.unload()
    for kind in ("line", "cell"):
        shell.magics_manager.magics[kind].pop("cuaws", None)
