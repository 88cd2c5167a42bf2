"""Ideas and projects as forms are filled in, and what leads up to them."""

import re
from email import message_from_bytes
from email.policy import default
from io import BytesIO
from uuid import UUID

import httpx
from PIL import Image

from api.sessions import csrf_of
from ledger.projects.criteria import CRITERIA
from projections.every import READ_MODELS
from projections.follow import catch_up
from tests.api.people import Browser, browser_of
from tests.api.served import PUBLIC_URL, Served

TYPED = {
    "title": "Des bancs à l’ombre",
    "text": "Des bancs sous les platanes, pour souffler.",
    "theme": "nature",
    "place": "isle-centre",
    "tie": "buys_here",
    "email": "Lucie@Exemple.fr",
    "name": "Lucie Martin",
}
SHEET = {
    "title": "Des bancs à l’ombre",
    "summary": "Dix bancs sous les platanes.",
    "text": "On les construit ensemble.",
    "theme": "nature",
    "place": "isle-centre",
    "carrier": "Association des Quais",
    "beneficiary": "Les passants",
    "payee": "Menuiserie Solidaire",
    "responsible": "Odette Sylvestre",
    "goal": "1 000",
    "other": "200",
    "line_1": "Bois",
    "cents_1": "900,00",
    "line_2": "Outils",
    "cents_2": "300",
    "step_1": "Bancs posés",
    "indicator_1": "Dix bancs comptés",
    "due_on_1": "2030-05-01",
    "if_abandoned": "next_round",
}
DECLARED = {"declaration": "no_conflict"}


def follow(conninfo: str) -> None:
    catch_up(conninfo, READ_MODELS)


def letters(served: Served) -> list[str]:
    folder = served.context.settings.home / "mail"
    files = sorted(folder.glob("*.eml"), key=lambda file: file.stat().st_mtime_ns)
    return [
        str(message_from_bytes(file.read_bytes(), policy=default).get_content()) for file in files
    ]


def link_in(letter: str) -> str:
    found = re.search(r"https://\S+/(?:ideas/confirm|ambassadors/link)/\S+", letter)
    assert found is not None
    return found[0].removeprefix(PUBLIC_URL)


def proposed(served: Served, conninfo: str, **changes: str) -> UUID:
    """Send the form and follow the link of its letter."""
    answer = Browser(served).post("/ideas/new", TYPED | changes)
    assert answer.headers.get("location") == "/ideas/sent", answer.text
    link = link_in(letters(served)[-1])
    confirmed = Browser(served).post(link)
    assert confirmed.status_code == httpx.codes.SEE_OTHER, confirmed.text
    follow(conninfo)
    return UUID(confirmed.headers["location"].rsplit("/", 1)[1])


def points(share: int = 1) -> dict[str, str]:
    known = CRITERIA[-1]
    given = {one.key: str(one.points_max // share) for one in known.criteria}
    return given | DECLARED | {"criteria_version": str(known.version)}


def done(answer: httpx.Response) -> None:
    assert answer.status_code == httpx.codes.SEE_OTHER, answer.text


def retained(served: Served, conninfo: str, officer: Browser) -> UUID:
    idea_id = proposed(served, conninfo)
    path = f"/office/ideas/{idea_id}"
    done(officer.post(f"{path}/acceptance", {"title": TYPED["title"], "text": TYPED["text"]}))
    for _ in range(2):
        done(browser_of(served, "committee").post(f"{path}/scores", points()))
    done(officer.post(f"{path}/evaluation"))
    follow(conninfo)
    return idea_id


def drafted(served: Served, conninfo: str, officer: Browser) -> str:
    """Turn an idea into a project; give the path of its page in the office."""
    idea_id = retained(served, conninfo, officer)
    answer = officer.post(f"/office/ideas/{idea_id}/project")
    done(answer)
    follow(conninfo)
    return str(answer.headers["location"])


def photograph(colour: str = "teal") -> bytes:
    """A picture that says in every way there is where, and of what, it was taken."""
    image, file = Image.new("RGB", (2000, 1500), colour), BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "taken in Odette’s garden"
    exif.get_ifd(0x8825).update({1: "N", 2: (43.0, 55.0, 7.0), 3: "E", 4: (5.0, 3.0, 2.0)})
    told = {"comment": b"Odette's garden", "xmp": b"<x>Odette's garden</x>"}
    image.save(file, "JPEG", exif=exif, **told)
    return file.getvalue()


def post_picture(
    served: Served, browser: Browser, path: str, content: bytes, fields: dict[str, str], **file: str
) -> httpx.Response:
    """Send the form of a sheet with a picture, whatever its name and type say it is."""
    name, kind = file.get("name", "photo.jpg"), file.get("kind", "image/jpeg")
    return served.client.post(
        f"{path}/sheet",
        data=fields | {"csrf": csrf_of(browser.token or "")},
        files={"picture": (name, content, kind)},
        headers=browser.headers,
    )
