"""What pages and letters promise of time is what the ledger does: written down once."""

import re
from datetime import timedelta

from api.credentials import ENROLMENT, RESET
from api.pages import ROOM, environment
from ledger.calendar import civil_day
from ledger.partners.certifications.applications import file_appeal
from ledger.partners.certifications.decider import certification
from ledger.partners.certifications.decisions import last_day
from ledger.partners.complaints import OpenComplaint, complaint
from ledger.partners.deadlines import ANSWER_WITHIN, APPEAL_WITHIN, CERTIFIED_YEARS
from tests.ledger.partners.papers import (
    APPLICATION,
    NOON,
    SHOP,
    TODAY,
    appeal,
    apply,
    decision,
    done,
    review,
)

LITERAL = re.compile(
    r"\b(?:\d+|(?:twen|thir|six|nine)ty|three)\s+(?:days|weeks|months|years)\b", re.IGNORECASE
)


def test_no_template_states_days_or_years_of_its_own() -> None:
    templates = [*ROOM.glob("templates/**/*.html"), *ROOM.glob("templates/**/*.txt")]
    found = [(path.name, text) for path in templates for text in LITERAL.findall(path.read_text())]
    assert templates
    assert found == []


def test_such_a_text_is_found() -> None:
    assert LITERAL.search("within 30 days")
    assert LITERAL.search("three years when left empty")


def test_templates_read_the_ledger_s_own() -> None:
    for language in ("fr", "en"):
        made = environment(language).from_string("{{ deadlines.ANSWER_WITHIN.days }}")
        assert made.render() == str(ANSWER_WITHIN.days)


def test_the_ledger_keeps_to_them() -> None:
    opening = OpenComplaint(
        at=NOON, actor="public", complaint_id=SHOP, partner_id=SHOP, subject_id=SHOP, topic="staff"
    )
    (opened,) = complaint.decide(opening, complaint.initial)
    assert getattr(opened, "answer_due_on", None) == civil_day(NOON) + ANSWER_WITHIN
    file = certification.fold(done(apply(), review(), *decision("refuse")))
    assert file_appeal(appeal(APPLICATION, day=APPEAL_WITHIN.days), file)
    assert last_day(TODAY).year == TODAY.year + CERTIFIED_YEARS


def test_letters_say_of_their_links_what_holds() -> None:
    # "once, for a week" and "once, for an hour": words, so that both languages read well.
    assert (timedelta(days=7), timedelta(hours=1)) == (ENROLMENT, RESET)
