"""The guard rail: production asks once in each kernel."""

from __future__ import annotations

import pytest
from doubles import RecordingShow

from cuaws_magic.errors import ProductionUnconfirmed, RoleNeeded
from cuaws_magic.settings import Settings

PRODUCTION = "awsucob0production"


class Person:
    """Answers what they are asked."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, question: str) -> str:
        self.asked.append(question)
        return self.answers.pop(0)


@pytest.fixture
def show() -> RecordingShow:
    return RecordingShow()


def test_a_role_that_can_change_things_is_confirmed_once(app, show):
    """The account's name is typed, in any case; from then on this kernel asks no more."""
    person = Person("AWSUCOB0production ")

    first = app.use(show, PRODUCTION, role="Admin", production=person)
    app.use(show, "awsucob0myaccount", production=person)
    app.use(show, PRODUCTION, role="Admin", production=person)

    assert first.role == "Admin"
    assert len(person.asked) == 1
    assert "awsucob0production is a production account, and Admin may change things there." in person.asked[0]


@pytest.mark.parametrize("answer", ["", "yes", "awsucob0"])
def test_who_does_not_confirm_keeps_what_was_in_use(app, show, answer):
    """Nothing changes, and the next time is asked again."""
    app.use(show, "awsucob0myaccount")
    person = Person(answer, PRODUCTION)

    with pytest.raises(ProductionUnconfirmed, match="Nothing was changed: awsucob0production was not confirmed"):
        app.use(show, PRODUCTION, role="Admin", production=person)
    kept = app.credentials.current.account.name
    app.use(show, PRODUCTION, role="Admin", production=person)

    assert kept == "awsucob0myaccount"
    assert len(person.asked) == 2


def test_where_nobody_can_be_asked(app, show):
    """It refuses, and says what to type; `--yes` is that."""
    with pytest.raises(ProductionUnconfirmed, match=r"type `%cuaws use awsucob0production --role Admin --yes`\."):
        app.use(show, PRODUCTION, role="Admin")
    assert app.credentials.current is None

    assert app.use(show, PRODUCTION, role="Admin", production=True).role == "Admin"
    assert app.use(show, PRODUCTION, role="Admin").role == "Admin"


def test_a_role_that_only_looks_is_not_asked_about(app, show):
    """Nothing can be broken with it."""
    assert app.use(show, PRODUCTION, role="ReadOnly").role == "ReadOnly"


def test_a_setting_turns_it_off(app, show):
    """Who never wants to be asked says so once."""
    app.choice.configure(Settings(confirm_production=False))

    assert app.use(show, PRODUCTION, role="Admin").role == "Admin"


def test_a_profile_of_a_production_account_is_asked_about_too(app, show, home):
    """Through whatever way it comes into use."""
    (home / ".aws").mkdir(exist_ok=True)
    (home / ".aws" / "config").write_text(
        "[sso-session fedauth]\nsso_start_url = https://cuboulder.awsapps.com/start\nsso_region = us-west-2\n"
        "sso_registration_scopes = sso:account:access\n"
        "[profile p]\nsso_session = fedauth\nsso_account_id = 333333333333\nsso_role_name = Admin\n"
    )

    app.login(show)
    app.accounts(show)

    with pytest.raises(ProductionUnconfirmed):
        app.use(show, "p")
    assert app.use(show, "p", production=True).role == "Admin"


def test_the_roles_that_a_person_prefers(app, show):
    """Patterns, the best first; what was taken last wins over them, and without them nobody picks."""
    with pytest.raises(RoleNeeded):
        app.use(show, "research-climate-dev")
    app.choice.configure(Settings(prefer_roles=("nothing*", "data*", "Researcher")))

    preferred = app.use(show, "research-climate-dev").role
    app.use(show, "research-climate-dev", role="Researcher")

    assert preferred == "DataSteward"
    assert app.use(show, "research-climate-dev").role == "Researcher"
