"""
The `%cuaws` magic.

    In [1]: %load_ext cuaws_magic

    In [2]: %cuaws use awsucob0myaccount

Parses the line, runs one command, shows what comes back. The rest of the
package is imported with the first command, so that loading costs next to nothing.
"""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any

from IPython.core.completer import SimpleCompletion, context_matcher
from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, magics_class
from traitlets import observe

from cuaws_magic.errors import Cancelled, CuawsError, bare
from cuaws_magic.ipython.at_import import AtImport
from cuaws_magic.ipython.configuration import SETTINGS, Configuration
from cuaws_magic.ipython.grammar import Grammar
from cuaws_magic.settings import Settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from IPython.core.completer import CompletionContext

    from cuaws_magic.commands.context import Context
    from cuaws_magic.ipython.cell_account import CellAccounts
    from cuaws_magic.ipython.display import NotebookDisplay, TerminalDisplay
    from cuaws_magic.ipython.paste_cell import PasteCell
    from cuaws_magic.views.account import InUse
    from cuaws_magic.views.render import View


@magics_class
class CuawsMagics(Magics, Configuration):
    """AWS credentials in this kernel. Settings here hold where no argument says otherwise."""

    at_import: AtImport | None = None
    _as_before: Callable[[], None]
    _context: Context | None = None  # here already: traitlets sets what is configured before `__init__` is done

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self._grammar = Grammar()
        self._cells: CellAccounts | None = None
        self._paste_cell: PasteCell | None = None

    @line_cell_magic("cuaws")  # type: ignore[arg-type]  # IPython is half typed
    def cuaws(self, line: str, cell: str | None = None) -> View | None:
        """Parse the line, run the command, show the result. `%cuaws?` shows the grammar's help instead of this."""
        from cuaws_magic.background import interrupts_as_themselves
        from cuaws_magic.credentials.pasted import holds_keys

        if cell is not None and cell.strip() and not holds_keys(f"{line}\n{cell}") and _command(line) in {"as", "each"}:
            return self._in_accounts(line, cell)
        if (cell is not None and cell.strip()) or holds_keys(line):
            self._pasted(line, cell or "")
            return None
        arguments = self._grammar.parse(line)
        if arguments.help:
            from cuaws_magic.humanize import for_stream

            print(for_stream(self._grammar.help(arguments.command), sys.stdout))  # noqa: T201 - this text is for a person
            return None
        try:
            with interrupts_as_themselves():
                view = self._run(arguments)
        except CuawsError as error:
            raise bare(error) from None
        except Cancelled:
            raise
        except KeyboardInterrupt:
            message = f"`%cuaws {arguments.command}` was stopped. Run the cell again to start over."
            raise Cancelled(message) from None
        return None if view is None else self._display.result(view, line)

    def _in_accounts(self, line: str, cell: str) -> View | None:
        """Run a cell in other accounts."""
        from cuaws_magic.background import interrupts_as_themselves

        arguments = self._grammar.parse(line)
        if arguments.help:
            return self.cuaws(line)
        try:
            with interrupts_as_themselves():
                view = self._cell_accounts.run(arguments, line, cell)
        except CuawsError as error:
            raise bare(error) from None
        return None if view is None else self._display.result(view, line)

    def _pasted(self, line: str, cell: str) -> None:
        """Take keys that stand on the page; they are gone from it before a word is said of them."""
        from cuaws_magic.commands.paste import paste as put_in_use
        from cuaws_magic.ipython.paste_cell import PasteCell, command_of

        if command_of(line, cell) != "paste":
            raise UsageError("Only `%%cuaws paste` takes a cell. Type `%cuaws` with one percent sign.")
        self._paste_cell = PasteCell(self.shell, self._display, line, cell)

        def paste(text: str) -> InUse:
            arguments = self._grammar.parse(line)
            if arguments.command != "paste" or arguments.help:
                raise UsageError("Keys go below a line `%%cuaws paste`, and nowhere else.")
            return put_in_use(self.context, text, arguments.save)

        view = self._paste_cell.run(paste)
        if view is not None:
            self._display(view)

    def help(self) -> str:
        """Return what `%cuaws?` shows."""
        return self._grammar.help()

    @context_matcher()  # type: ignore[untyped-decorator]  # IPython is half typed
    def complete(self, context: CompletionContext) -> dict[str, Any]:
        """Complete a line of ours, and let nobody else do it (IPython's custom matchers): Jedi reads it as Python."""
        line = context.text_until_cursor.rsplit("\n", 1)[-1]
        if "%cuaws " not in line:
            return {"completions": []}
        from cuaws_magic.commands.names import Names

        found = self._grammar.complete(line[line.index("%cuaws ") :], context.token, Names(self.context))
        marked = self.context.settings.is_production
        kinds = ("production" if marked(one.strip('"').partition("/")[0]) else "magic" for one in found)
        completions = [SimpleCompletion(text=one, type=kind) for one, kind in zip(found, kinds, strict=True)]
        return {"completions": completions, "suppress": True, "ordered": True}

    @property
    def context(self) -> Context:
        """The context of this process, made with the first command."""
        if self._context is None:
            from cuaws_magic.commands.context import the_context
            from cuaws_magic.ipython import masked_output, quiet_stops
            from cuaws_magic.ipython.prompt import asking_hidden

            self._context = the_context()
            self._context.callback_choice.asking = lambda: asking_hidden(self.shell)
            self._configure()
            masked_output.mask(self.shell, self._context.seen.secrets)
            self._as_before = quiet_stops.quiet(self.shell)
            if "botocore.session" in sys.modules:
                self._context.credentials.prepare()
        return self._context

    @observe(*SETTINGS)
    def _configure(self, _: object = None) -> None:
        """Take what IPython's configuration says, or `%config` says later."""
        if self._context is not None:
            self._context.choice.configure(self.settings)

    def prepare(self) -> None:
        """Be in front of botocore sessions that are made from now on."""
        self.context.credentials.prepare()

    @property
    def _cell_accounts(self) -> CellAccounts:
        from cuaws_magic.ipython.cell_account import CellAccounts

        if self._cells is None:
            self._cells = CellAccounts(self.shell, self.context, self._display)
        return self._cells

    def before_cell(self, _: object) -> None:
        """See to what a cell should not start without (IPython's `pre_run_cell`); nearly always nothing."""
        if self._cells is not None:
            self._cells.before()
        if self._context is None:
            if "botocore.session" in sys.modules:
                self.prepare()
            return
        with contextlib.suppress(KeyboardInterrupt):  # the cell itself will say what is missing
            hint = self._context.hints.before()
            if hint is not None:
                self._display(hint)
                if hint.sign_in:
                    from cuaws_magic.ipython.offers import sign_in_again

                    sign_in_again(self._context, self._display)

    def after_cell(self, result: Any) -> None:
        """Say why a cell failed, if credentials were the reason (IPython's `post_run_cell`)."""
        if self._cells is not None:
            self._cells.after()
        if self._paste_cell is not None:
            self._paste_cell.after(result)
            self._paste_cell = None
        error = result.error_in_exec
        if isinstance(error, KeyboardInterrupt) and self._context is not None:
            self._context.sign_in_wait.stop()  # a thread of the cell may still wait
        if error is None or isinstance(error, CuawsError):
            return
        from cuaws_magic.commands.reasons import reason

        if reason(error) is None:
            return  # a failure of another kind costs no more than this look
        from cuaws_magic.commands.status import replace_if_refused

        hint = self.context.hints.after(error, lambda: replace_if_refused(self.context))
        if hint is not None:
            self._display(hint)

    def unload(self) -> None:
        """Leave the kernel as it was found."""
        if self._context is not None:
            self._context.credentials.deactivate()
            self._context.approvals.cancel()
            self._close_display()
            from cuaws_magic.ipython import masked_output

            masked_output.unmask()
            self._as_before()

    def _close_display(self) -> None:
        from cuaws_magic.ipython.display import close_display

        close_display(self.shell)

    @property
    def _display(self) -> NotebookDisplay | TerminalDisplay:
        from cuaws_magic.ipython.display import display_for

        return display_for(self.shell)

    def _run(self, arguments: argparse.Namespace) -> View | None:  # noqa: C901, PLR0911, PLR0912 - one branch a command
        context, display = self.context, self._display
        match arguments.command:
            case "login":
                from cuaws_magic.commands.callback import Wanted
                from cuaws_magic.ipython.offers import login
                from cuaws_magic.ipython.prompt import asking

                return login(
                    context,
                    display,
                    Settings(arguments.session, arguments.start_url, arguments.sso_region),
                    force=arguments.force,
                    wait=not arguments.no_wait,
                    timeout=arguments.timeout,
                    wanted=Wanted(arguments.pkce, arguments.qr),
                    asked=bool(asking(self.shell)),
                )
            case "logout":
                from cuaws_magic.commands.login import logout

                return logout(context, every=arguments.all, session=arguments.session)
            case "use":
                from cuaws_magic.commands.use import use
                from cuaws_magic.ipython.prompt import asking

                return use(
                    context,
                    display,
                    arguments.target,
                    role=arguments.role,
                    region=arguments.region,
                    session=arguments.session,
                    via=arguments.via,
                    verify=not arguments.no_verify,
                    production=arguments.yes or asking(self.shell),
                    wait_for_sign_in=arguments.wait_for_sign_in,
                )
            case "as":
                self._cell_accounts.enter(arguments)
                return None
            case "each":
                raise UsageError("`each` runs a cell. Put `%%cuaws each …`, with two percent signs, above what to run.")
            case "release":
                from cuaws_magic.commands.status import release

                return release(context)
            case "whoami":
                from cuaws_magic.commands.status import whoami

                return whoami(context)
            case "accounts":
                from cuaws_magic.commands.accounts import accounts

                return accounts(
                    context,
                    display,
                    arguments.pattern,
                    roles=arguments.roles,
                    refresh=arguments.refresh,
                    star=arguments.star,
                    session=arguments.session,
                )
            case "panel":
                from cuaws_magic.widget.view import open_panel

                return open_panel(context, display.cell)
            case "configure":
                from cuaws_magic.commands.configure import configure

                return configure(
                    context,
                    display,
                    arguments.pattern,
                    dry_run=arguments.dry_run,
                    prune=arguments.prune,
                    process=arguments.process,
                    session=arguments.session,
                )
            case "paste":
                from cuaws_magic.commands.paste import paste
                from cuaws_magic.ipython.paste_cell import ask

                return paste(context, ask(self.shell), arguments.save)
            case "forget":
                from cuaws_magic.commands.configure import forget

                return forget(context, arguments.profile)
            case "export":
                return self._export(arguments)
            case "console":
                from cuaws_magic.commands.console import console

                return console(context, display, arguments.service, arguments.target, session=arguments.session)
            case "doctor":
                from cuaws_magic.diagnostics.checks import diagnose
                from cuaws_magic.diagnostics.gather import gather

                return diagnose(gather(context))
            case _:
                from cuaws_magic.ipython.offers import status

                return status(context, display)

    def _export(self, arguments: argparse.Namespace) -> View:
        from cuaws_magic.commands.export import export

        exported = export(
            self.context,
            self._display,
            arguments.target,
            arguments.format,
            to=arguments.to,
            variable=arguments.var,
            shown=arguments.show,
            session=arguments.session,
        )
        if arguments.var is not None:
            shell: Any = self.shell  # IPython allows for magics without one
            shell.push({arguments.var: exported.reveal()})
        return exported


def _command(line: str) -> str:
    return line.split(maxsplit=1)[0].casefold() if line.strip() else ""


def _transformed(lines: list[str]) -> list[str]:
    """Have the first line of `%%cuaws as` be an ordinary one (IPython's `input_transformers_cleanup`)."""
    if not lines or "%%cuaws" not in lines[0]:
        return lines
    from cuaws_magic.ipython.cell_account import transformed

    return transformed(lines)


def load(shell: Any) -> None:
    """Register the magic and its completion."""
    magics = CuawsMagics(shell)
    if "botocore.session" not in sys.modules:
        # Also in the middle of a cell: a session that is made in it is to keep its account too.
        magics.at_import = AtImport("botocore.session", magics.prepare)
        sys.meta_path.insert(0, magics.at_import)
    CuawsMagics.cuaws.__doc__ = magics.help()  # type: ignore[assignment]  # as above
    shell.register_magics(magics)
    shell.events.register("pre_run_cell", magics.before_cell)
    shell.events.register("post_run_cell", magics.after_cell)
    shell.Completer.custom_matchers.append(magics.complete)
    shell.input_transformers_cleanup.append(_transformed)


def unload(shell: Any) -> None:
    """Take the magic out, and the credentials out of the kernel."""
    magics = shell.magics_manager.registry.get("CuawsMagics")
    if magics is not None:
        magics.unload()
        if magics.at_import is not None:
            magics.at_import.leave()
        shell.events.unregister("pre_run_cell", magics.before_cell)
        shell.events.unregister("post_run_cell", magics.after_cell)
        shell.Completer.custom_matchers.remove(magics.complete)
        shell.input_transformers_cleanup.remove(_transformed)
    for kind in ("line", "cell"):
        shell.magics_manager.magics[kind].pop("cuaws", None)
