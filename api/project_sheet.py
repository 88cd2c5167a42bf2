"""A project's sheet as the office types it: read from a form, shown in it again."""

import re
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid4, uuid5

from psycopg import Connection
from stdnum.fr import siren

from api import pictures, wordings
from api.deps import Context
from api.office.desk import FieldMalformed, Form
from api.people import EMAIL, NAME
from ledger.projects.sheet import PlannedMilestone, Sheet
from ledger.projects.state import Drafted
from ledger.territory import NEWEST

TITLE_MAX, SUMMARY_MAX, TEXT_MAX, LABEL_MAX, ALT_MAX = 120, 300, 6_000, 160, 300
# A form without script has so many rows; an empty one is left out.
LINES, MILESTONES, PICTURES_MAX = 8, 6, 8
PARTIES: Final = ("carrier", "beneficiary", "payee")
NAME_FIELD, EMAIL_FIELD = "name", "email"
# The number of an association in its register (RNA); Corsica's have a letter.
RNA: Final = re.compile(r"W[0-9][0-9AB][0-9]{7}")
# A registered body is the same party on every sheet: its id follows from its number.
BODIES: Final = UUID("6a0b4d5e-93c1-5c55-9f0e-6f4b8d6f1a27")


class PictureWithoutWords(FieldMalformed):
    """A picture says in words what it shows, for whoever does not see it."""


class PicturesTooMany(FieldMalformed):
    """A sheet shows at most eight pictures."""


class BodyNumberMalformed(FieldMalformed):
    """A body is registered under a SIREN of nine digits, or as an association under W and nine."""


@dataclass(frozen=True, slots=True)
class Typed:
    """A sheet's words, and what events hold of it but for the hash of the words."""

    document: dict[str, Any]
    held: dict[str, Any]
    responsible: dict[str, str]


def line_of(form: Form, name: str, most: int, *, needed: bool = True) -> str:
    text = form.text(name)
    if len(text) > most or (needed and not text) or not (text.isprintable() or not text):
        raise FieldMalformed(field=name)
    return text


def lines_of(form: Form) -> list[dict[str, Any]]:
    found = []
    for number in range(1, LINES + 1):
        label, cents = f"line_{number}", f"cents_{number}"
        if form.text(label) or form.text(cents):
            told = line_of(form, label, LABEL_MAX)
            found.append({"label": told, "cents": form.cents(cents)})
    if not found:
        raise FieldMalformed(field="line_1")
    return found


def milestones_of(form: Form) -> tuple[list[dict[str, str]], tuple[PlannedMilestone, ...]]:
    words, planned = [], []
    for number in range(1, MILESTONES + 1):
        names = tuple(f"{part}_{number}" for part in ("step", "indicator", "due_on"))
        if any(form.text(name) for name in names):
            title = line_of(form, names[0], LABEL_MAX)
            indicator = line_of(form, names[1], LABEL_MAX)
            words.append({"key": f"m{number}", "title": title, "indicator": indicator})
            planned.append(PlannedMilestone(key=f"m{number}", due_on=form.day(names[2])))
    if not planned:
        raise FieldMalformed(field="step_1")
    return words, tuple(planned)


def pictures_of(
    connection: Connection[Any], form: Form, before: list[dict[str, Any]], sent: bytes
) -> list[dict[str, Any]]:
    """Give the pictures that stay, in their words, and the one that was sent.

    Raises PictureWithoutWords, PictureRefused, PictureTooSmall.
    """
    found = []
    for number, one in enumerate(before, 1):
        if form.text(f"drop_{number}") != "yes":
            found.append(one | {"alt": alt_of(form, f"alt_{number}")})
    if sent:
        alt = alt_of(form, "alt_new")
        digest = pictures.keep(connection, sent)
        width, height = pictures.size_of(connection, digest)
        if digest not in {one["sha256"] for one in found}:
            found.append({"sha256": digest, "alt": alt, "width": width, "height": height})
    if len(found) > PICTURES_MAX:
        raise PicturesTooMany(field="picture")
    return found


def alt_of(form: Form, name: str) -> str:
    alt = form.text(name)
    if not 0 < len(alt) <= ALT_MAX:
        raise PictureWithoutWords(field=name)
    return alt


def responsible_of(form: Form) -> dict[str, str]:
    name, email = form.text("responsible"), form.text("responsible_email")
    if not NAME.fullmatch(name):
        raise FieldMalformed(field="responsible")
    if email and not EMAIL.fullmatch(email):
        raise FieldMalformed(field="responsible_email")
    return {NAME_FIELD: name, EMAIL_FIELD: email}


def numbers_of(form: Form) -> dict[str, str]:
    """Give the number that each registered party has. Raises BodyNumberMalformed."""
    found = {}
    for role in PARTIES:
        text = "".join(form.text(f"{role}_number").split()).upper()
        if text and not (text.isdigit() and siren.is_valid(text)) and not RNA.fullmatch(text):
            raise BodyNumberMalformed(field=f"{role}_number")
        if text:
            found[role] = text
    return found


def parties_of(form: Form, before: Drafted, document: dict[str, Any]) -> dict[str, UUID]:
    """Give each party its id. Two bodies of one name are two, unless they have one number.

    Without a number it is known by its role and name on this sheet: another name is another party.
    """
    numbers, known_numbers = numbers_of(form), document.get("numbers", {})
    found = {}
    for role in PARTIES:
        name, number = line_of(form, role, TITLE_MAX), numbers.get(role)
        told = (document.get(role), known_numbers.get(role))
        if before.sheet is not None and told == (name, number):
            found[f"{role}_id"] = getattr(before.sheet, f"{role}_id")
        else:
            found[f"{role}_id"] = uuid4() if number is None else uuid5(BODIES, number)
    return found


def typed(
    connection: Connection[Any],
    form: Form,
    before: Drafted,
    document: dict[str, Any],
    sent: bytes,
) -> Typed:
    """Read a whole sheet. `document` holds the words of the one before."""
    steps, planned = milestones_of(form)
    lines = lines_of(form)
    place = NEWEST.place(form.text("place"))
    if place is None:
        raise FieldMalformed(field="place")
    words = {
        "title": line_of(form, "title", TITLE_MAX),
        "summary": line_of(form, "summary", SUMMARY_MAX),
        "text": form.long_text("text", TEXT_MAX),
        **{role: line_of(form, role, TITLE_MAX) for role in PARTIES},
        "numbers": numbers_of(form),
        "responsible_named": form.text("responsible_named") == "yes",
        "lines": lines,
        "milestones": steps,
    }
    held = {
        "theme": form.word("theme"),
        "place": place.key,
        "territory_version": NEWEST.version,
        "goal_cents": form.cents("goal"),
        "other_cents": form.cents("other", zero=True),
        "line_cents": tuple(line["cents"] for line in lines),
        "milestones": planned,
        "if_abandoned": form.word("if_abandoned"),
        "responsible_id": uuid4() if before.sheet is None else before.sheet.responsible_id,
        **parties_of(form, before, document),
    }
    responsible = responsible_of(form)
    shown = pictures_of(connection, form, document.get("pictures", []), sent)
    return Typed(words | {"pictures": shown}, held, responsible)


def kept(context: Context, read: Typed) -> Sheet:
    """Keep the words of a sheet, and give what events hold of it."""
    known = context.vault.fields(read.held["responsible_id"])
    for field, text in read.responsible.items():
        # An address that was there before is not the next person's.
        if text != known.get(field, ""):
            context.vault.put(read.held["responsible_id"], field, text)
    shown = tuple(one["sha256"] for one in read.document["pictures"])
    with context.pool.connection() as connection:
        digest = wordings.keep_document(connection, read.document)
    return Sheet(document_sha256=digest, pictures=shown, **read.held)


def euros(cents: int) -> str:
    """Write an amount as the form reads it."""
    return f"{cents // 100},{cents % 100:02d}"


def fields_of_sheet(
    state: Drafted, document: dict[str, Any], responsible: dict[str, str]
) -> dict[str, str]:
    """Give what each field of the form holds, before anything is typed."""
    sheet = state.sheet
    if sheet is None:
        return {}
    found = {name: document[name] for name in ("title", "summary", "text", *PARTIES)}
    found |= {f"{role}_number": number for role, number in document.get("numbers", {}).items()}
    found |= {"theme": sheet.theme, "place": sheet.place, "if_abandoned": sheet.if_abandoned}
    found |= {"goal": euros(sheet.goal_cents), "other": euros(sheet.other_cents)}
    found["responsible"] = responsible.get(NAME_FIELD, "")
    found["responsible_email"] = responsible.get(EMAIL_FIELD, "")
    found["responsible_named"] = "yes" if document["responsible_named"] else ""
    for number, line in enumerate(document["lines"], 1):
        found |= {f"line_{number}": line["label"], f"cents_{number}": euros(line["cents"])}
    for one in document["milestones"]:
        number, step = one["key"].removeprefix("m"), state.milestones.get(one["key"])
        planned = next(plan for plan in sheet.milestones if plan.key == one["key"])
        found |= {
            f"step_{number}": one["title"],
            f"indicator_{number}": one["indicator"],
            f"due_on_{number}": planned.due_on.isoformat() if step else "",
        }
    for number, picture in enumerate(document["pictures"], 1):
        found[f"alt_{number}"] = picture["alt"]
    return found
