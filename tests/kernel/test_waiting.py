"""Sign-ins under way: the stop button, the background, the timeout, and long listings."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from cuaws_magic.practice import Failure, Knobs

if TYPE_CHECKING:
    from collections.abc import Callable

    from cuaws_magic.practice import PracticePortal


def test_stop_button_ends_a_sign_in(kernel, portal: PracticePortal, waiting_code: Callable):
    """The stop button ends the wait at once with one line, takes the code off the page, and stops "Run all"."""
    portal.knobs = Knobs()

    cell, following = kernel.send("%cuaws login"), kernel.send("reached = True")
    user_code = waiting_code(kernel)
    kernel.until(lambda: user_code in cell.text)
    pressed = time.monotonic()
    kernel.interrupt()
    kernel.finish(cell)
    took = time.monotonic() - pressed
    kernel.finish(following)

    assert took < 2
    assert cell.stopped == "Sign-in cancelled\nType `%cuaws login` to start again."
    assert user_code not in cell.text + cell.html
    assert following.status == "aborted"
    portal.knobs = Knobs(approve_after=1)
    assert kernel.good("%cuaws login").text.startswith("Signed in for")


def test_stop_button_while_the_service_is_slow(kernel, portal: PracticePortal):
    """The stop button also reaches a request that has no answer yet; the line is the same."""
    portal.knobs = Knobs(failures=(Failure("StartDeviceAuthorization", 1, "slow", 5),))

    cell = kernel.send("%cuaws login")
    kernel.until(lambda: portal.count("RegisterClient"))
    time.sleep(0.5)  # until it is asked; nothing tells
    pressed = time.monotonic()
    kernel.interrupt()
    kernel.finish(cell)

    assert time.monotonic() - pressed < 2
    assert cell.stopped.startswith("Sign-in cancelled")


def test_stop_button_during_use(kernel, portal: PracticePortal, waiting_code: Callable):
    """Stopped in the sign-in that `use` began, nothing is in the environment, and `use` works afterwards."""
    portal.knobs = Knobs()

    cell = kernel.send("%cuaws use awsucob0myaccount")
    waiting_code(kernel)
    kernel.until(lambda: cell.outputs)
    kernel.interrupt()
    kernel.finish(cell)

    assert cell.stopped == "Sign-in cancelled\nType `%cuaws login` to start again."
    assert kernel.value("'AWS_ACCESS_KEY_ID' in __import__('os').environ") is False
    portal.knobs = Knobs(approve_after=1)
    assert "Using awsucob0myaccount" in kernel.good("%cuaws use awsucob0myaccount").text


def test_stop_button_during_a_long_listing(kernel, portal: PracticePortal):
    """Stopped while 300 accounts are asked for their roles: one line, no progress left, and the kernel goes on."""
    portal.knobs = Knobs(approve_after=1, accounts=300)
    kernel.good("%cuaws login")

    cell, following = kernel.send("%cuaws accounts --roles"), kernel.send("reached = True")
    kernel.until(lambda: "Asking for roles" in cell.text)
    pressed = time.monotonic()
    kernel.interrupt()
    kernel.finish(cell)
    took = time.monotonic() - pressed
    kernel.finish(following)
    asked = portal.count("ListAccountRoles")
    kernel.good("import time; time.sleep(1)")

    assert took < 2
    assert "`%cuaws accounts` was stopped. Run the cell again to start over." in cell.stopped
    assert "Asking for roles" not in cell.text
    assert following.status == "aborted"
    assert portal.count("ListAccountRoles") == asked
    assert "305 accounts" in kernel.good("%cuaws accounts").text
    assert "Using awsucob0myaccount" in kernel.good("%cuaws use awsucob0myaccount").text


def test_no_wait_goes_on_behind(kernel, portal: PracticePortal, waiting_code: Callable):
    """`--no-wait` returns at once, other cells run, and its own card changes when a person has approved."""
    portal.knobs = Knobs()

    began = time.monotonic()
    cell = kernel.good("%cuaws login --no-wait")
    took = time.monotonic() - began
    user_code = waiting_code(kernel)
    kernel.until(lambda: user_code in cell.text)
    other = kernel.good("print(6 * 7)")
    status = kernel.good("%cuaws")
    again = kernel.good("%cuaws login --no-wait")
    explained, waiting = again.text, cell.text + cell.html
    portal.approve(user_code)
    kernel.until(lambda: "Signed in for" in cell.text)

    assert took < 5
    assert other.text == "42\n"
    assert "A sign-in is waiting for your approval" in status.text
    assert "Signing in while you work" in explained
    assert "To give up" not in waiting
    assert "Signing in while you work" not in again.text + cell.text
    assert user_code not in cell.text + cell.html
    assert user_code not in other.text + other.html
    assert portal.count("StartDeviceAuthorization") == 1
    assert kernel.good("%cuaws login").text.startswith("Signed in for")


def test_use_waits_for_the_sign_in_behind(kernel, portal: PracticePortal, waiting_code: Callable):
    """`use` after `--no-wait` waits for that approval instead of asking for a second one."""
    portal.knobs = Knobs()
    first = kernel.good("%cuaws login --no-wait")
    user_code = waiting_code(kernel)
    kernel.until(lambda: user_code in first.text)

    cell = kernel.send("%cuaws use awsucob0myaccount")
    time.sleep(0.5)  # it must still be waiting
    running = not cell.done
    portal.approve(user_code)
    kernel.finish(cell)

    assert running
    assert cell.status == "ok"
    assert "Using awsucob0myaccount" in cell.text
    assert portal.count("StartDeviceAuthorization") == 1


def test_stop_button_ends_the_sign_in_behind(kernel, portal: PracticePortal, waiting_code: Callable):
    """Stopped while it waits for the one in the background, that one ends too and its code leaves the page."""
    portal.knobs = Knobs()
    first = kernel.good("%cuaws login --no-wait")
    user_code = waiting_code(kernel)
    kernel.until(lambda: user_code in first.text)

    cell = kernel.send("%cuaws login")
    time.sleep(0.5)  # until it waits; nothing tells
    kernel.interrupt()
    kernel.finish(cell)
    kernel.until(lambda: "Sign-in cancelled" in first.text)

    assert cell.stopped == "Sign-in cancelled. Type `%cuaws login` to start again."
    assert user_code not in first.text + first.html


def test_failure_behind_is_on_its_card(kernel, portal: PracticePortal):
    """A sign-in in the background that is denied says so on its card, and nothing else in the notebook breaks."""
    portal.knobs = Knobs()
    cell = kernel.good("%cuaws login --no-wait")
    kernel.until(lambda: "Sign in to" in cell.text)

    portal.knobs = Knobs(deny=True)
    kernel.until(lambda: "Not signed in" in cell.text)

    assert "was denied on the sign-in page" in cell.text
    assert "Not signed in to CU Boulder" in kernel.good("%cuaws").text


def test_timeout_takes_the_code_off_the_page(kernel, portal: PracticePortal, waiting_code: Callable):
    """`--timeout` ends in time with an error; the card keeps no code."""
    portal.knobs = Knobs()

    cell = kernel.send("%cuaws login --timeout 1.5")
    user_code = waiting_code(kernel)
    kernel.finish(cell, patience=5)

    assert cell.kind == "SignInTimeout"
    assert user_code in cell.ever
    assert user_code not in cell.text + cell.html


def test_force_gets_a_new_sign_in(kernel, portal: PracticePortal, waiting_code: Callable):
    """`--force` asks a person although signed in, and only that approval ends it."""
    kernel.good("%cuaws login")
    portal.knobs = Knobs()

    cell = kernel.send("%cuaws login --force")
    user_code = waiting_code(kernel)
    time.sleep(0.5)  # it must still be waiting
    running = not cell.done
    portal.approve(user_code)
    kernel.finish(cell)

    assert running
    assert cell.text.startswith("Signed in for")


def test_a_code_that_ran_out_is_replaced(kernel, portal: PracticePortal, waiting_code: Callable):
    """An expired code is replaced on the same card by a new one, which works."""
    portal.knobs = Knobs(code_lifetime=2)

    cell = kernel.send("%cuaws login")
    first = waiting_code(kernel)
    kernel.until(lambda: portal.pending_user_codes() not in ([], [first]))
    second = waiting_code(kernel)
    kernel.until(lambda: second in cell.text)
    text = cell.text
    portal.approve(second)
    kernel.finish(cell)

    assert first not in text
    assert "The last code expired; this is a new one." in text
    assert len(cell.outputs) == 1
    assert "Signed in for" in cell.text


def test_a_loop_survives_lunch(kernel, portal: PracticePortal, waiting_code: Callable):
    """The sign-in ends while a cell works: the code is shown below it, and after the approval the cell goes on."""
    portal.knobs = Knobs(approve_after=1, interval=1, role_lifetime=6)
    kernel.good("%cuaws use awsucob0myaccount --wait-for-sign-in\nimport boto3, time\nclient = boto3.client('sts')")
    portal.knobs = Knobs(interval=1, role_lifetime=60)
    portal.revoke_sign_ins()

    cell = kernel.send(
        "done = []\nfor _ in range(12):\n    done.append(client.get_caller_identity()['Account'])\n    time.sleep(1)"
    )
    user_code = waiting_code(kernel)
    kernel.until(lambda: user_code in cell.text)
    portal.approve(user_code)
    kernel.finish(cell)

    assert cell.status == "ok"
    assert kernel.value("done") == ["111111111111"] * 12
    assert user_code not in cell.text + cell.html


def test_a_production_account_is_asked_about(kernel, portal: PracticePortal):
    """A person types its name; where nobody can (papermill, nbclient) it refuses, with what to type."""
    _, unattended = kernel.run_all("%load_ext cuaws_magic", "%cuaws use awsucob0production --role Admin")
    cell = kernel.send("%cuaws use awsucob0production --role Admin")
    question = kernel.asked()["prompt"]
    kernel.answer("awsucob0production")
    kernel.finish(cell)

    assert "type `%cuaws use awsucob0production --role Admin --yes`." in str(unattended)
    assert "Admin may change things there." in question
    assert "Using awsucob0production" in cell.text
