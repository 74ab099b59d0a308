"""How a kernel comes to hold a fresh SSO token: cached, else refreshed, else approved; beside other programs."""

from __future__ import annotations

import dataclasses
import json
import threading
from datetime import timedelta

import pytest
from doubles import HOUR, a_registration

from cuaws_magic.errors import (
    AuthorizationDenied,
    AuthorizationExpired,
    NotSignedIn,
    RefreshRefused,
    ServiceFailure,
    UnsafeSignInPage,
)
from cuaws_magic.model import Secret
from cuaws_magic.practice import Failure
from cuaws_magic.sso.device_flow import AwaitApproval
from cuaws_magic.sso.login import Login
from cuaws_magic.sso.session import CU_BOULDER

FRESH_AT_LEAST = timedelta(minutes=20)


def turn(kernel, **knobs):
    kernel.portal.knobs = dataclasses.replace(kernel.portal.knobs, **knobs)
    kernel.portal.clear_calls()


def refreshes(kernel):
    return [call for call in kernel.portal.calls if call.detail == "refresh_token"]


def near_the_end(kernel):
    """Go to where the SSO token wants to be refreshed, though it is still good."""
    sso_token = kernel.cache.load(CU_BOULDER).sso_token
    kernel.clock.at = sso_token.expires_at - timedelta(minutes=10)


# Cached.


def test_nobody_signed_in(kernel):
    """Without a token file nobody is asked, and the error knows the sign-in and the command."""
    with pytest.raises(NotSignedIn, match=r"not signed in to fedauth\. Type `%cuaws login`") as caught:
        kernel.login.required(CU_BOULDER)

    assert caught.value.sso_session == CU_BOULDER
    assert kernel.portal.calls == []


def test_a_fresh_one_is_taken_from_the_cache(kernel):
    """A fresh SSO token is taken as it is, by this kernel and by the next, and nobody is asked."""
    signed_in = kernel.sign_in()
    kernel.portal.clear_calls()

    found = [one.login.required(CU_BOULDER).sso_token for one in (kernel, kernel.another())]

    assert {sso_token.access_token for sso_token in found} == {signed_in.sso_token.access_token}
    assert kernel.portal.calls == []


def test_the_end_of_a_sign_in(kernel):
    """A sign-in is told to end eight hours after the approval, also when the SSO token is shorter and renewed."""
    start = kernel.clock()
    turn(kernel, token_lifetime=3600)

    ends_at = kernel.sign_in().ends_at
    kernel.clock.forward(minutes=50)
    after_refresh = kernel.login.required(CU_BOULDER).ends_at

    assert ends_at == after_refresh == start + 8 * HOUR
    assert len(refreshes(kernel)) == 1


def test_the_end_of_a_sign_in_that_cannot_be_refreshed(kernel):
    """Without a refresh token the sign-in ends with its SSO token."""
    turn(kernel, token_lifetime=3600, refresh_tokens=False)

    assert kernel.sign_in().ends_at == kernel.clock() + HOUR


# Refreshed.


def test_refreshed_twenty_minutes_before_its_end(kernel):
    """Twenty minutes before its end it is refreshed, not earlier; the file has the new one."""
    before = kernel.sign_in().sso_token

    kernel.clock.at = before.expires_at - FRESH_AT_LEAST - timedelta(seconds=1)
    early = kernel.login.required(CU_BOULDER).sso_token
    kernel.clock.forward(seconds=1)
    renewed = kernel.login.required(CU_BOULDER).sso_token

    assert early.access_token == before.access_token
    assert renewed.access_token != before.access_token
    assert kernel.another().cache.load(CU_BOULDER).sso_token == renewed


def test_refreshed_long_after_its_end(kernel):
    """An SSO token that is long over is no reason to ask a person while the refresh token lives."""
    turn(kernel, sso_session_lifetime=90 * 24 * 3600)
    kernel.sign_in()

    kernel.clock.forward(hours=30)

    assert kernel.login.required(CU_BOULDER).sso_token.expires_at > kernel.clock()


def test_the_old_refresh_token_stays_where_none_comes(kernel):
    """A refresh without a new refresh token keeps the old one in the file."""
    before = kernel.sign_in().sso_token
    turn(kernel, omit_refresh_token=True)
    near_the_end(kernel)

    kernel.login.required(CU_BOULDER)

    content = json.loads(kernel.cache.token_path(CU_BOULDER).read_text())
    assert content["refreshToken"] == before.refresh_token.reveal()
    assert content["accessToken"] != before.access_token.reveal()


def test_rotated_refresh_tokens_follow_each_other(kernel):
    """Single-use refresh tokens: each refresh uses what the last one brought."""
    turn(kernel, rotate_refresh_tokens=True, sso_session_lifetime=48 * 3600)
    kernel.sign_in()

    for _ in range(3):
        near_the_end(kernel)
        kernel.login.required(CU_BOULDER)

    assert [call.error for call in refreshes(kernel)] == [None, None, None]


def test_a_refused_refresh_while_the_old_one_is_good(kernel):
    """What is still good is used although it cannot be refreshed any more."""
    before = kernel.sign_in().sso_token
    turn(kernel, sso_session_lifetime=0)
    kernel.portal._state._refresh_tokens.clear()  # as an administrator might
    near_the_end(kernel)

    assert kernel.login.required(CU_BOULDER).sso_token == before
    assert len(refreshes(kernel)) == 1


def test_a_refused_refresh_at_the_end(kernel):
    """When the SSO session is over, refresh token and all, a person has to approve."""
    kernel.sign_in()

    kernel.clock.forward(hours=9)

    with pytest.raises(NotSignedIn):
        kernel.login.required(CU_BOULDER)


def test_a_refusal_is_believed_after_a_second_look_at_the_file(kernel):
    """When the AWS CLI, which knows no lock of ours, used the refresh token a moment ago, its file is the sign-in."""
    before = kernel.sign_in().sso_token
    by_the_cli = dataclasses.replace(
        before, access_token=Secret("by the CLI"), expires_at=before.expires_at + 8 * HOUR, refresh_token=Secret("next")
    )

    class OvertakenByTheCli:
        def refresh_token(self, sso_session, sso_token):
            kernel.another().cache.save(sso_session, by_the_cli)
            raise RefreshRefused

    login = Login(OvertakenByTheCli(), kernel.cache, kernel.own_state, kernel.clock)
    kernel.clock.forward(hours=8, minutes=1)

    assert login.required(CU_BOULDER).sso_token == by_the_cli


def test_a_service_that_is_down_does_not_end_a_good_sign_in(kernel):
    """A refresh that fails for a passing reason leaves the good SSO token in use."""
    before = kernel.sign_in().sso_token
    turn(kernel, failures=(Failure("CreateToken", 100, "500"),))
    near_the_end(kernel)

    assert kernel.login.required(CU_BOULDER).sso_token == before


def test_a_service_that_is_down_at_the_end(kernel):
    """When the SSO token is over and the service is down, that is said, and not that nobody is signed in."""
    kernel.sign_in()
    turn(kernel, failures=(Failure("CreateToken", 100, "500"),))
    kernel.clock.forward(hours=8, minutes=1)

    with pytest.raises(ServiceFailure):
        kernel.login.required(CU_BOULDER)


def test_refused_by_the_portal_although_fresh(kernel):
    """`expiresAt` is a hint: an SSO token that the portal refused is refreshed at once."""
    before = kernel.sign_in().sso_token

    renewed = kernel.login.required(CU_BOULDER, refused=before).sso_token

    assert renewed.access_token != before.access_token


def test_refused_by_the_portal_and_replaced_by_somebody_else(kernel):
    """When another program has a newer SSO token in the file, that one is taken without a refresh."""
    before = kernel.sign_in().sso_token
    other = kernel.another().sign_in(force=True).sso_token
    kernel.portal.clear_calls()

    assert kernel.login.required(CU_BOULDER, refused=before).sso_token == other
    assert refreshes(kernel) == []


def test_refused_by_the_portal_without_refresh_token(kernel):
    """Where nothing can be refreshed a refused SSO token means: approve again."""
    turn(kernel, refresh_tokens=False)
    before = kernel.sign_in().sso_token

    with pytest.raises(NotSignedIn):
        kernel.login.required(CU_BOULDER, refused=before)


def test_two_kernels_refresh_once(kernel):
    """Kernels that find the SSO token nearly over at the same time send one refresh, and all have the new one."""
    kernel.sign_in()
    turn(kernel, rotate_refresh_tokens=True, latency=0.05)
    near_the_end(kernel)
    kernels = [kernel.another() for _ in range(4)]
    start = threading.Barrier(len(kernels))
    found = []

    def work(one):
        start.wait()
        found.append(one.login.required(CU_BOULDER).sso_token.access_token)

    threads = [threading.Thread(target=work, args=(one,)) for one in kernels]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 4
    assert len(set(found)) == 1
    assert len(refreshes(kernel)) == 1


# Looked at.


def test_a_look_asks_nobody(kernel):
    """`peek` tells of a sign-in that is good or can be refreshed, and asks nobody."""
    nobody = kernel.login.peek(CU_BOULDER)
    kernel.sign_in()
    kernel.portal.clear_calls()
    good, _ = kernel.login.peek(CU_BOULDER)
    kernel.clock.forward(hours=8, minutes=1)
    refreshable, _ = kernel.login.peek(CU_BOULDER)

    assert nobody == (None, None)
    assert good is not None
    assert refreshable is not None
    assert kernel.portal.calls == []


def test_a_look_at_a_damaged_file(kernel):
    """`peek` says what is wrong with the token file."""
    path = kernel.cache.token_path(CU_BOULDER)
    path.parent.mkdir(parents=True)
    path.write_text("{")

    sign_in, trouble = kernel.login.peek(CU_BOULDER)

    assert sign_in is None
    assert trouble == f"{path} is not a token file of the AWS CLI."


# Approved.


def test_an_approval_is_kept_for_everybody(kernel):
    """An approved sign-in is in the CLI's files: SSO token and registration."""
    signed_in = kernel.sign_in()

    assert kernel.another().cache.load(CU_BOULDER).sso_token == signed_in.sso_token
    assert kernel.cache.load_registration(CU_BOULDER) is not None
    assert signed_in.notes == ()


def test_a_registration_serves_many_sign_ins(kernel):
    """The registration of the first sign-in, or of the CLI, is used again."""
    kernel.sign_in()
    kernel.another().sign_in(force=True)

    assert kernel.portal.count("RegisterClient") == 1


@pytest.mark.parametrize(("left", "registrations"), [(16, 0), (14, 1)])
def test_a_registration_near_its_end_is_replaced(kernel, left, registrations):
    """A registration counts as over fifteen minutes before its end, as for botocore."""
    registration = kernel.identity_center.register_client(CU_BOULDER)
    ends = kernel.clock() + timedelta(minutes=left)
    kernel.cache.save_registration(CU_BOULDER, dataclasses.replace(registration, expires_at=ends))
    kernel.portal.clear_calls()

    kernel.sign_in()

    assert kernel.portal.count("RegisterClient") == registrations


def test_a_registration_that_the_service_forgot_is_replaced(kernel):
    """A cached registration that is refused is replaced in the file, and the sign-in goes on."""
    kernel.cache.save_registration(CU_BOULDER, a_registration(kernel.clock() + 1000 * HOUR))

    kernel.sign_in()

    assert kernel.portal.count("RegisterClient") == 1
    assert kernel.cache.load_registration(CU_BOULDER).client_id != "client-id"


def test_a_sign_in_elsewhere_ends_the_wait(kernel):
    """When another kernel, or the CLI, is signed in meanwhile, the wait is over with that sign-in."""
    turn(kernel, approve_after=None)
    steps = kernel.login.approval(CU_BOULDER)
    shown, waiting = next(steps), next(steps)

    turn(kernel, approve_after=1)
    elsewhere = kernel.another().sign_in()
    sign_in, more = kernel.walk(steps)

    assert isinstance(shown, AwaitApproval)
    assert waiting.seconds == 1
    assert sign_in.sso_token == elsewhere.sso_token
    assert more == []


def test_a_forced_sign_in_does_not_end_elsewhere(kernel):
    """`--force` wants this approval and no other."""
    turn(kernel, approve_after=None)
    steps = kernel.login.approval(CU_BOULDER, force=True)
    authorization = next(steps).authorization
    next(steps)

    turn(kernel, approve_after=1)
    elsewhere = kernel.another().sign_in()
    kernel.clock.forward(seconds=1)
    sign_in, _ = kernel.walk(steps)

    assert sign_in.sso_token != elsewhere.sso_token
    assert authorization.user_code not in kernel.portal.pending_user_codes()


def test_denied(kernel):
    """A denied sign-in leaves no token file."""
    turn(kernel, deny=True)

    with pytest.raises(AuthorizationDenied, match="Type `%cuaws login` to ask again"):
        kernel.sign_in()

    assert kernel.cache.load(CU_BOULDER).sso_token is None


def test_nobody_approves(kernel):
    """Four codes run out one after the other; then it is said that nobody was there."""
    turn(kernel, approve_after=None, code_lifetime=3)

    with pytest.raises(AuthorizationExpired):
        kernel.sign_in()

    assert kernel.portal.count("StartDeviceAuthorization") == 4


def test_a_page_that_is_not_awss_is_not_shown(kernel, monkeypatch):
    """A service elsewhere that sends people to a page on this machine, or anywhere, is not followed."""
    monkeypatch.setattr(kernel.identity_center, "sign_in_endpoint", lambda _: "https://oidc.us-west-2.amazonaws.com")

    with pytest.raises(UnsafeSignInPage):
        kernel.sign_in()

    assert kernel.portal.count("CreateToken") == 0


def test_a_damaged_file_is_replaced_with_a_note(kernel):
    """A token file that cannot be read is replaced by the sign-in, which says so."""
    path = kernel.cache.token_path(CU_BOULDER)
    path.parent.mkdir(parents=True)
    path.write_text("[]")

    signed_in = kernel.sign_in()

    assert signed_in.notes == (f"{path} is not a token file of the AWS CLI. It has been replaced.",)
    assert kernel.cache.load(CU_BOULDER).sso_token == signed_in.sso_token


def test_a_home_that_cannot_be_written(kernel, home):
    """Sign-in works where nothing can be written, holds in this kernel, and says that it is not kept."""
    (home / ".aws").write_text("a file in place of the folder")

    signed_in = kernel.sign_in()

    (note,) = signed_in.notes
    assert note.startswith("Cannot write ")
    assert note.endswith("Until then the sign-in works in this kernel only.")
    assert kernel.login.required(CU_BOULDER).sso_token == signed_in.sso_token
    with pytest.raises(NotSignedIn):
        kernel.another().login.required(CU_BOULDER)


def test_a_refresh_in_a_home_that_cannot_be_written(kernel, home):
    """Also what is refreshed holds on in the kernel."""
    (home / ".aws").write_text("a file in place of the folder")
    kernel.sign_in()
    near_the_end(kernel)

    renewed = kernel.login.required(CU_BOULDER).sso_token

    assert kernel.login.required(CU_BOULDER).sso_token == renewed
    assert len(refreshes(kernel)) == 1


def test_forgetting(kernel):
    """What is forgotten is gone from the home; what was there comes back to whoever revokes it."""
    signed_in = kernel.sign_in()

    forgotten = kernel.login.forget(CU_BOULDER)

    assert forgotten == signed_in.sso_token
    assert kernel.login.forget(CU_BOULDER) is None
    assert kernel.login.current(CU_BOULDER) is None
