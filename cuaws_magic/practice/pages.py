"""
The web pages, as functions from state to HTML.

Escaping happens in one place: `Markup.format`, which escapes everything that is not `Markup` itself.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

from markupsafe import Markup

from cuaws_magic.practice import people
from cuaws_magic.practice.server import Reply

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

WARNING = "Practice portal: this is not AWS. Do not type a real password."

_STYLE = Markup("""
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #f4f5f7; --card: #fff; --line: #d5d9df;
  --soft: #57606a; --accent: #8a6d1a; --press: #1b1f24; --pressed: #fff; --warn: #fff4d6; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ed; --paper: #14171a; --card: #1d2126; --line: #363c44;
  --soft: #9aa4af; --accent: #cfb87c; --press: #cfb87c; --pressed: #14171a; --warn: #3a3118; } }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
.warning { margin: 0; padding: .6rem 1rem; text-align: center; background: var(--warn); font-weight: 600; }
main { max-width: 44rem; margin: 2rem auto; padding: 1.5rem 2rem; background: var(--card);
  border: 1px solid var(--line); border-radius: .75rem; }
main.narrow { max-width: 30rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 1rem; }
h2 { font-size: 1.1rem; margin: 1.75rem 0 .5rem; }
a { color: var(--accent); }
p.soft, td.soft { color: var(--soft); }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .4rem .75rem .4rem 0;
  border-bottom: 1px solid var(--line); }
code, pre, input { font-family: ui-monospace, monospace; }
pre { overflow-x: auto; padding: .75rem; border: 1px solid var(--line); border-radius: .5rem; }
label { display: block; font-weight: 600; margin-bottom: .25rem; }
input[type=text] { width: 100%; font-size: 1.4rem; letter-spacing: .1em; padding: .5rem .75rem;
  color: inherit; background: var(--paper); border: 1px solid var(--line); border-radius: .5rem; }
.buttons { display: flex; gap: .75rem; margin-top: 1.25rem; flex-wrap: wrap; }
button { font: inherit; font-weight: 600; padding: .6rem 1.2rem; border-radius: .5rem; cursor: pointer;
  border: 1px solid var(--press); background: var(--press); color: var(--pressed); }
button.other { background: transparent; color: var(--ink); border-color: var(--line); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
""")
_PAGE = Markup(
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title} | practice portal</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><style>{style}</style></head>'
    '<body><p class="warning" role="note">{warning}</p><main class="{shape}"><h1>{title}</h1>{content}</main>'
    "</body></html>\n"
)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
# A form that ends in a redirect may go where that leads: to a program on this computer.
_TO_A_PROGRAM = _POLICY.replace("form-action 'self'", "form-action 'self' http://127.0.0.1:*")
_HEADERS = (
    ("Content-Type", "text/html; charset=utf-8"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)


def page(
    title: str, content: Markup, *, narrow: bool = False, status: int = HTTPStatus.OK, policy: str = _POLICY
) -> Reply:
    """Make a page; the warning is on every one."""
    text = _PAGE.format(
        title=title, style=_STYLE, warning=WARNING, shape="narrow" if narrow else "wide", content=content
    )
    return Reply(status, text.encode(), (*_HEADERS, ("Content-Security-Policy", policy)))


def home(accounts: Iterable[people.PretendAccount], codes: Iterable[str], environment: Mapping[str, str]) -> Reply:
    """Say what this is, what is in it and how to reach it."""
    content = Markup(
        "<p>A pretend IAM Identity Center on this computer, for a first try without AWS and for classes. "
        "It signs in <strong>{user}</strong>, and the credentials that it gives work in its own pretend AWS. "
        "Nothing leaves this computer.</p>"
        "<h2>Codes waiting for approval</h2>{codes}"
        "<h2>Accounts</h2>{accounts}"
        "<h2>How to reach it</h2><p>Set these variables before Python or the AWS CLI starts:</p>"
        "<pre>{variables}</pre>"
        '<p class="soft">Start URL <code>{start_url}</code>, SSO region <code>{region}</code>. '
        'The access portal is at <a href="/start">/start</a>.</p>'
    ).format(
        user=people.USER,
        codes=_codes(codes),
        accounts=_accounts(accounts),
        variables="\n".join(f"{name}={value}" for name, value in environment.items()),
        start_url=people.START_URL,
        region=people.SSO_REGION,
    )
    return page("Practice portal", content)


def start(accounts: Iterable[people.PretendAccount], codes: Iterable[str]) -> Reply:
    """Show the access portal, as a person sees it after signing in."""
    content = Markup("<p>Signed in as <strong>{}</strong>.</p>{}<h2>Requests waiting for you</h2>{}").format(
        people.USER, _accounts(accounts), _codes(codes)
    )
    return page("AWS access portal", content)


def enter_code(user_code: str, nonce: str) -> Reply:
    """Ask for the code, or to compare the one that came with the link."""
    content = Markup(
        "<p>Check that this code matches the one shown in your notebook. If you did not ask to sign in, "
        "close this page.</p>"
        '<form method="post" action="/device"><input type="hidden" name="nonce" value="{nonce}">'
        '<label for="user_code">Code</label>'
        '<input type="text" id="user_code" name="user_code" value="{user_code}" maxlength="20" required '
        'autocomplete="off" autocapitalize="characters" spellcheck="false" placeholder="ABCD-1234">'
        '<div class="buttons"><button type="submit">Submit and continue</button></div></form>'
    ).format(nonce=nonce, user_code=user_code)
    return page("Authorization requested", content, narrow=True)


def ask_consent(client_name: str, user_code: str | None, nonce: str) -> Reply:
    """Ask whether the client may use the user's accounts; without a code, a program on this computer asks."""
    code = Markup(" Code: <code>{}</code>").format(user_code) if user_code is not None else ""
    content = Markup(
        "<p>This gives <strong>{client}</strong> the access that <strong>{user}</strong> has to these "
        "pretend accounts.{code}</p>"
        '<form method="post" action="{action}"><input type="hidden" name="nonce" value="{nonce}">'
        '<input type="hidden" name="user_code" value="{user_code}"><div class="buttons">'
        '<button type="submit" name="decision" value="allow">Allow access</button>'
        '<button type="submit" name="decision" value="deny" class="other">Deny access</button></div></form>'
    ).format(
        client=client_name, user=people.USER, code=code, user_code=user_code or "", nonce=nonce,
        action="/consent" if user_code is not None else "/authorize",
    )  # fmt: skip
    policy = _POLICY if user_code is not None else _TO_A_PROGRAM
    return page(f"Allow {client_name} to access your data?", content, narrow=True, policy=policy)


def out_of_date() -> Reply:
    """Refuse a form that was sent before, or from elsewhere."""
    text = "This page was used before or is not from this portal. Open the link in your notebook again."
    return message("This page is out of date", text, status=HTTPStatus.FORBIDDEN)


def message(title: str, text: str, *, status: int = HTTPStatus.OK) -> Reply:
    """Show one sentence."""
    content = Markup('<p>{}</p><p class="soft"><a href="/">Practice portal</a></p>').format(text)
    return page(title, content, narrow=True, status=status)


def _accounts(accounts: Iterable[people.PretendAccount]) -> Markup:
    row = Markup('<tr><td><strong>{}</strong></td><td><code>{}</code></td><td class="soft">{}</td></tr>')
    rows = (row.format(account.name, account.account_id, ", ".join(account.roles)) for account in accounts)
    head = Markup("<table><thead><tr><th>Account</th><th>Id</th><th>Roles</th></tr></thead><tbody>{}</tbody></table>")
    return head.format(Markup().join(rows))


def _codes(codes: Iterable[str]) -> Markup:
    row = Markup('<li><a href="/device?user_code={}"><code>{}</code></a></li>')
    rows = Markup().join(row.format(quote(user_code), user_code) for user_code in codes)
    return Markup("<ul>{}</ul>").format(rows) if rows else Markup('<p class="soft">None.</p>')
