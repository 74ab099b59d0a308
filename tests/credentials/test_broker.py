"""Role credentials: fetched once, kept, renewed early, one for all programs of the home."""

from __future__ import annotations

import dataclasses
import os
import threading
from datetime import timedelta

import pytest
from doubles import HOUR, account_role, role_credentials

from cuaws_magic.errors import NoAccess, NotSignedIn, ServiceFailure, Throttled
from cuaws_magic.model import SsoSession
from cuaws_magic.practice import Failure
from cuaws_magic.sso.session import CU_BOULDER

ROLE = account_role()
OTHER_ROLE = account_role("222222222222", "MyOtherRole")


def turn(kernel, **knobs):
    kernel.portal.knobs = dataclasses.replace(kernel.portal.knobs, **knobs)
    kernel.portal.clear_calls()


def fetches(kernel):
    return kernel.portal.count("GetRoleCredentials")


def date_as_the_clock(kernel, role=ROLE):
    """Give the cache file the date of the pretended time: a file's date tells when it was fetched."""
    path = kernel.cache.role_path(role.sso_session, role.account.id, role.role_name)
    os.utime(path, (kernel.clock().timestamp(),) * 2)


@pytest.fixture(autouse=True)
def _signed_in(kernel):
    kernel.portal.knobs = dataclasses.replace(kernel.portal.knobs, token_lifetime=48 * 3600)
    kernel.sign_in()


def test_fetched_once(kernel):
    """The second time nobody is asked."""
    first = kernel.broker.credentials(ROLE)
    second = kernel.broker.credentials(ROLE)

    assert first is second
    assert fetches(kernel) == 1


def test_each_role_has_its_own(kernel):
    """Two accounts never share a set."""
    one, other = kernel.broker.credentials(ROLE), kernel.broker.credentials(OTHER_ROLE)

    assert (one.account_id, other.account_id) == ("111111111111", "222222222222")
    assert one.access_key_id != other.access_key_id


def test_one_set_for_all_kernels(kernel):
    """Another kernel reads what this one fetched, in the CLI's own file."""
    first = kernel.broker.credentials(ROLE)

    second = kernel.another().broker.credentials(ROLE)

    assert second.secret_access_key == first.secret_access_key
    assert fetches(kernel) == 1


def test_renewed_once_a_third_is_used(kernel):
    """A set of four hours serves for 1 h 20 min; the next one has four hours again."""
    first = kernel.broker.credentials(ROLE)

    kernel.clock.forward(minutes=79)
    still = kernel.broker.credentials(ROLE)
    kernel.clock.forward(minutes=1)
    renewed = kernel.broker.credentials(ROLE)

    assert still is first
    assert renewed.expires_at == kernel.clock() + 4 * HOUR
    assert fetches(kernel) == 2


def test_a_set_of_another_kernel_that_is_due_is_renewed(kernel):
    """A third of the life counts from the fetch, whichever kernel fetched."""
    kernel.broker.credentials(ROLE)
    date_as_the_clock(kernel)
    kernel.clock.forward(minutes=81)

    kernel.another().broker.credentials(ROLE)

    assert fetches(kernel) == 2


def test_a_set_that_another_kernel_renewed_is_taken(kernel):
    """Where another kernel was first with the renewal its set is taken from the file."""
    kernel.broker.credentials(ROLE)
    kernel.clock.forward(minutes=81)
    renewed = kernel.another().broker.credentials(ROLE)
    date_as_the_clock(kernel)

    assert kernel.broker.credentials(ROLE).secret_access_key == renewed.secret_access_key
    assert fetches(kernel) == 2


def test_many_at_once_fetch_once(kernel):
    """Threads of several kernels that need the same set at the same time send one request."""
    turn(kernel, latency=0.05)
    kernels = [kernel, kernel, kernel.another(), kernel.another()]
    start = threading.Barrier(len(kernels))
    found = []

    def work(one):
        start.wait()
        found.append(one.broker.credentials(ROLE).access_key_id)

    threads = [threading.Thread(target=work, args=(one,)) for one in kernels]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 4
    assert len(set(found)) == 1
    assert fetches(kernel) == 1


@pytest.mark.parametrize("kind", ["500", "429", "malformed"])
def test_a_portal_in_trouble_leaves_the_old_set(kernel, kind):
    """A set that still lives is used when no newer one can be had."""
    first = kernel.broker.credentials(ROLE)
    turn(kernel, failures=(Failure("GetRoleCredentials", 100, kind),))
    kernel.clock.forward(hours=3)

    assert kernel.broker.credentials(ROLE).access_key_id == first.access_key_id


def test_an_ended_sign_in_leaves_the_old_set(kernel):
    """Role credentials outlive the sign-in: they are used to their end, then a person is asked."""
    first = kernel.broker.credentials(ROLE)
    kernel.login.forget(CU_BOULDER)
    kernel.clock.forward(hours=3)

    assert kernel.broker.credentials(ROLE).access_key_id == first.access_key_id
    kernel.clock.forward(hours=1)
    with pytest.raises(NotSignedIn):
        kernel.broker.credentials(ROLE)


@pytest.mark.parametrize(("kind", "expected"), [("500", ServiceFailure), ("429", Throttled)])
def test_a_portal_in_trouble_and_no_set(kernel, kind, expected):
    """Without any set the trouble is said."""
    turn(kernel, failures=(Failure("GetRoleCredentials", 100, kind),))

    with pytest.raises(expected):
        kernel.broker.credentials(ROLE)


def test_a_role_that_was_taken_away(kernel):
    """When the role is not the person's any more, the old set does not hide it at the renewal."""
    kernel.broker.credentials(ROLE)
    kernel.portal.remove_role("111111111111", "MyRole")
    kernel.clock.forward(hours=2)

    with pytest.raises(NoAccess, match="Type `%cuaws accounts --roles --refresh`"):
        kernel.broker.credentials(ROLE)


def test_an_sso_token_that_the_portal_refuses_is_refreshed(kernel):
    """401 although fresh: one refresh, and the credentials come."""
    sso_token = kernel.cache.load(CU_BOULDER).sso_token
    kernel.portal._state._sso_tokens.clear()  # the portal lost them; refresh tokens live on

    kernel.broker.credentials(ROLE)

    assert fetches(kernel) == 2
    assert kernel.cache.load(CU_BOULDER).sso_token.access_token != sso_token.access_token


def test_a_sign_in_that_an_administrator_ended(kernel):
    """401, and the refresh is refused too: a person has to approve again."""
    kernel.portal.revoke_sign_ins()

    with pytest.raises(NotSignedIn, match="`%cuaws login`"):
        kernel.broker.credentials(ROLE)


def test_a_home_that_cannot_be_written(kernel, home):
    """Where the file cannot be written this kernel has its set all the same."""
    (home / ".aws" / "cli").write_text("a file in place of the folder")

    kernel.broker.credentials(ROLE)
    kernel.broker.credentials(ROLE)

    assert fetches(kernel) == 1


def test_forgetting_one_sign_in(kernel):
    """The sets of one sign-in go, from kernel and home; those of another stay."""
    kernel.broker.credentials(ROLE)
    another_sign_in = SsoSession("work", "https://acme.awsapps.com/start", "us-west-2", None)
    kernel.cache.save_role_credentials(another_sign_in, "MyRole", role_credentials())
    kernel.cache.save_role_credentials(CU_BOULDER, "Configured", role_credentials("333333333333"))

    kernel.broker.forget_all(CU_BOULDER, [("333333333333", "Configured"), ("444444444444", "Nothing")])

    assert kernel.cache.load_role_credentials(CU_BOULDER, "111111111111", "MyRole") is None
    assert kernel.cache.load_role_credentials(CU_BOULDER, "333333333333", "Configured") is None
    assert kernel.cache.load_role_credentials(another_sign_in, "111111111111", "MyRole") is not None
    kernel.broker.credentials(ROLE)
    assert fetches(kernel) == 2


def test_forgetting_everything(kernel):
    """After a logout of all nothing is left, in kernel or home."""
    kernel.broker.credentials(ROLE)
    kernel.broker.credentials(OTHER_ROLE)

    kernel.broker.forget_every()

    assert list(kernel.cache.role_folder.iterdir()) == []
    kernel.broker.credentials(ROLE)
    assert fetches(kernel) == 3


def test_a_clock_that_runs_on_while_asleep(kernel):
    """After a night in a closed laptop a new set is fetched, not the dead one handed out."""
    first = kernel.broker.credentials(ROLE)

    kernel.clock.forward(hours=14)

    assert kernel.broker.credentials(ROLE).expires_at > first.expires_at + timedelta(hours=9)
