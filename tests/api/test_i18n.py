"""The visitor's language: how it is chosen, how it writes, and that nothing is left in English."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from jinja2 import Environment
from starlette.requests import Request

from api import i18n
from api.pages import ROOM

TEMPLATES = ROOM / "templates"
# What is the same in every language: names, and the register's own word.
UNTRANSLATED = (
    *("Don positif", "L’Isle-sur-la-Sorgue"),
    *("SIRET", "SIREN", "RNA", "SHA-256", "IBAN", "BIC"),
)
PLACEHOLDER = re.compile(r"%\(\w+\)s")

Message = str | tuple[str, ...]


def request(query: str = "", **headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "query_string": query.encode(), "headers": raw})


@pytest.mark.parametrize(
    ("query", "cookie", "accepted", "language"),
    [
        ("", "", "", "fr"),
        ("lang=en", "lang=fr", "fr", "en"),
        ("lang=fr", "lang=en", "en", "fr"),
        ("lang=de", "lang=en", "fr", "en"),
        ("", "lang=xx", "en", "en"),
        ("", "", "en-US,en;q=0.9", "en"),
        ("", "", "fr-CA", "fr"),
        ("", "", "de,en;q=0.8,fr;q=0.5", "en"),
        ("", "", "de, EN ; q=0.4 , fr;q=0.7", "fr"),
        ("", "", "en;q=0", "fr"),
        ("", "", "en;q=nonsense,;;,=", "fr"),
        ("", "", "de,*", "fr"),
    ],
)
def test_the_language_asked_for(query: str, cookie: str, accepted: str, language: str) -> None:
    asked = request(query, cookie=cookie, accept_language=accepted)
    assert i18n.language_of(asked) == language


@pytest.mark.parametrize(
    ("cents", "french", "english"),
    [
        (0, "0,00\u00a0€", "€0.00"),
        (66, "0,66\u00a0€", "€0.66"),
        (123_450, "1\u202f234,50\u00a0€", "€1,234.50"),
        (-66, "−0,66\u00a0€", "−€0.66"),
        (10**17 + 1, "1\u202f000\u202f000\u202f000\u202f000\u202f000,01\u00a0€", None),
    ],
)
def test_amounts_are_exact(cents: int, french: str, english: str | None) -> None:
    assert i18n.money(cents, "fr") == french
    if english is not None:
        assert i18n.money(cents, "en") == english


def test_days_and_times_are_those_of_the_village() -> None:
    evening = datetime(2026, 6, 30, 22, 5, tzinfo=UTC)
    assert i18n.clock(evening, "fr") == "0\u00a0h\u00a005"
    assert i18n.clock(evening, "en") == "00:05"
    assert i18n.day(date(2026, 7, 1), "fr") == "1er juillet 2026"
    assert i18n.day(date(2026, 7, 2), "fr") == "2 juillet 2026"
    assert i18n.day(date(2026, 7, 1), "en") == "1 July 2026"
    assert i18n.month("2026-08", "fr") == "août 2026"
    assert i18n.month("2026-08", "en") == "August 2026"
    assert i18n.count(69_287, "fr") == "69\u202f287"
    assert i18n.count(69_287, "en") == "69,287"


def used() -> set[Message]:
    found = extract_from_dir(
        TEMPLATES,
        method_map=[("**.html", "jinja2"), ("**.txt", "jinja2")],
        options_map={"**.html": {"silent": "false"}, "**.txt": {"silent": "false"}},
    )
    return {message for _, _, message, _, _ in found}


def translated(language: i18n.Language) -> dict[Message, Message]:
    with (i18n.LOCALE / language / "LC_MESSAGES" / "donpositif.po").open("rb") as source:
        catalog = read_po(source, locale=language, abort_invalid=True)
    return {whole(one.id): whole(one.string or "") for one in catalog if one.id}


def whole(message: str | Sequence[str]) -> Message:
    return message if isinstance(message, str) else tuple(message)


def test_every_message_has_its_french_and_none_is_left_over() -> None:
    french = translated("fr")
    assert used()
    assert used() - french.keys() == set()
    assert french.keys() - used() == set()
    assert [message for message, text in french.items() if not all(parts(text))] == []


def test_english_replaces_only_what_is_used() -> None:
    assert translated("en").keys() - used() == set()


def parts(message: Message) -> tuple[str, ...]:
    return (message,) if isinstance(message, str) else tuple(message)


def test_the_french_names_what_the_english_names() -> None:
    for message, text in translated("fr").items():
        for one in parts(text):
            assert set(PLACEHOLDER.findall(one)) == set(PLACEHOLDER.findall(parts(message)[-1]))


def test_the_french_is_typeset_as_french() -> None:
    for message, text in translated("fr").items():
        for one in parts(text):
            assert "'" not in one, one
            assert not re.search(r"(?<![\u00a0\u202f]):(?=\s|$)", one), one
            assert not re.search(r"(?<!\u202f)[;!?]", one), one
        assert "'" not in "".join(parts(message)), message


# One thing has one name: recours, courriel, adresse électronique, code QR, auditeur.
OTHER_NAMES = re.compile(
    r"\b(appels?|e-mails?|mails?|la lettre|une lettre|QR.code|commissaires?)\b", re.IGNORECASE
)


def test_one_thing_has_one_name_in_french() -> None:
    texts = [one for text in translated("fr").values() for one in parts(text)]
    assert [one for one in texts if OTHER_NAMES.search(one)] == []
    # A shop's name has no gender that a page could know.
    assert [one for one in texts if re.search(r"%\(shop\)s est \w+é\b", one)] == []


def test_plurals_follow_the_language() -> None:
    french, english = i18n.translations("fr"), i18n.translations("en")
    assert [french.ngettext("gift", "gifts", n) for n in (0, 1, 2)] == ["don", "don", "dons"]
    assert [english.ngettext("gift", "gifts", n) for n in (0, 1, 2)] == ["gifts", "gift", "gifts"]


def words(template: str) -> Iterator[str]:
    """The text of a template that no translation passes through, attributes for people included."""
    data = "".join(
        value if kind == "data" else "\0"
        for _, kind, value in Environment(autoescape=True).lex(template)
        if kind in {"data", "variable_begin", "block_begin", "comment_begin"}
    )
    data = re.sub(r'class="[^"]*"', "", data)
    data = re.sub(r"<svg.*?</svg>", "", data, flags=re.DOTALL)
    yield from re.findall(r'(?:aria-label|alt|title|placeholder)="([^"\0]+)"', data)
    yield from re.sub(r"<[^>]*>", "\0", data).split("\0")


def test_no_template_speaks_without_translation() -> None:
    said = [
        (path.name, text)
        for path in TEMPLATES.rglob("*.html")
        for part in words(path.read_text())
        if re.search(r"[^\W\d_]{2}", text := re.sub("|".join(UNTRANSLATED), "", part))
    ]
    assert said == []


def test_a_bare_word_in_a_template_is_found() -> None:
    assert any("Hello" in part for part in words("<p>Hello {{ name }}</p>"))
    assert any("Hello" in part for part in words('<p aria-label="Hello">{{ _("x") }}</p>'))
