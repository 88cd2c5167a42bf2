"""Made-up ideas and projects of the demonstration village, with pictures drawn here."""

import random
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from PIL import Image, ImageDraw
from psycopg import Connection

from api import pictures, wordings
from api.demo_life import MEMBER, OTHER_MEMBER, REVIEWER
from ledger.calendar import civil_day
from ledger.projects.criteria import CRITERIA
from ledger.projects.idea_events import (
    AcceptIdea,
    CloseEvaluation,
    ProposeIdea,
    RefuseIdea,
    Score,
    ScoreIdea,
    TurnIntoProject,
)
from ledger.projects.ideas import idea
from ledger.projects.project_events import DraftProject, PublishProject, WriteSheet
from ledger.projects.projects import project
from ledger.projects.sheet import PlannedMilestone, Sheet
from ledger.projects.words import Theme
from ledger.store import Ledger
from ledger.territory import NEWEST

NAMESPACE = UUID("b8a6b0a1-6e0f-5d7c-8a37-0c4f9b1d2e55")
SIZE = (1200, 800)


class Plan(NamedTuple):
    """A made-up project: who carries it, its goal in euros, and two milestones."""

    title: str
    summary: str
    theme: Theme
    place: str
    carrier: str
    euros: int
    steps: tuple[str, str]


PLANS = (
    Plan(
        "Remettre la roue du Bassin en route",
        "La vieille roue à aubes tourne de nouveau, et les enfants voient pourquoi.",
        "heritage",
        "isle-centre",
        "Association Les Amis des Roues",
        6_800,
        ("Pales remplacées", "Roue inaugurée"),
    ),
    Plan(
        "Des vélos pour les mercredis",
        "Vingt vélos réparés, prêtés aux familles qui n’en ont pas.",
        "mobility",
        "isle-gare",
        "Atelier Vélo du Pays des Sorgues",
        3_400,
        ("Vingt vélos révisés", "Premier mercredi de prêt"),
    ),
    Plan(
        "Un verger partagé à Velorgues",
        "Quarante fruitiers anciens que tout le monde plante, taille et cueille.",
        "nature",
        "velorgues",
        "Collectif Verger de Velorgues",
        4_200,
        ("Arbres plantés", "Première taille ouverte à tous"),
    ),
    Plan(
        "Lire au bord de l’eau",
        "Une bibliothèque flottante, trois dimanches par mois, d’avril à octobre.",
        "culture",
        "isle-partage",
        "Association Pages et Rivières",
        2_900,
        ("Barque aménagée", "Premier dimanche de lecture"),
    ),
    Plan(
        "La Sorgue propre, ensemble",
        "Quatre journées de ramassage et un relevé public de ce qu’on y trouve.",
        "water",
        "isle-nevons",
        "Confrérie des Pêcheurs de la Sorgue",
        1_800,
        ("Matériel acheté", "Quatrième journée tenue"),
    ),
    Plan(
        "Un repas par mois, tous ensemble",
        "Une grande table au Thor, cuisinée avec les invendus du marché.",
        "solidarity",
        "le-thor",
        "Association La Grande Table",
        2_400,
        ("Cuisine équipée", "Sixième repas servi"),
    ),
    Plan(
        "Apprendre à nager avant six ans",
        "Dix séances gratuites pour soixante enfants des écoles.",
        "sport",
        "isle-centre",
        "Club Nautique des Sorgues",
        5_200,
        ("Groupes constitués", "Soixante enfants formés"),
    ),
    Plan(
        "Le sentier des lavoirs",
        "Sept lavoirs nettoyés et reliés par un chemin balisé de Lagnes à Saumane.",
        "heritage",
        "lagnes",
        "Association Pierres et Eaux",
        3_900,
        ("Lavoirs nettoyés", "Sentier balisé"),
    ),
    Plan(
        "Radio des collégiens",
        "Un studio mobile, et une émission par semaine faite par les élèves.",
        "youth",
        "isle-saint-antoine",
        "Foyer socio-éducatif du collège",
        2_600,
        ("Studio installé", "Dixième émission"),
    ),
    Plan(
        "Ombre au Petit Palais",
        "Trente arbres devant l’école, choisis avec les enfants, arrosés à l’eau de pluie.",
        "nature",
        "petit-palais",
        "Parents d’élèves du Petit Palais",
        4_700,
        ("Cuve posée", "Arbres plantés"),
    ),
    Plan(
        "Théâtre de poche à Gadagne",
        "Une scène démontable pour jouer dans les quartiers et les hameaux.",
        "culture",
        "gadagne",
        "Compagnie du Cabanon",
        3_100,
        ("Scène construite", "Cinquième soirée jouée"),
    ),
    Plan(
        "Le café des aidants",
        "Un après-midi par semaine pour souffler, parler et trouver de l’aide.",
        "solidarity",
        "fontaine",
        "Association Reprendre Souffle",
        2_200,
        ("Lieu ouvert", "Vingtième rencontre"),
    ),
)
# Ideas that wait for an evaluation, and one that was not published.
OPEN_IDEAS = (
    ("Des bancs à l’ombre sur les quais", "nature", "isle-centre"),
    ("Une bourse aux graines chaque printemps", "nature", "le-thor"),
    ("Un concert sur l’eau en juin", "culture", "isle-partage"),
)


def load(ledger: Ledger, connection: Connection[Any]) -> int:
    """Put the ideas forward and publish their projects; the same again changes nothing."""
    for number, plan in enumerate(PLANS):
        if not ledger.history(project, project_id_of(plan)):
            publish(ledger, connection, plan, number)
    for title, theme, place in OPEN_IDEAS:
        propose(ledger, connection, title, f"{title}.", theme, place)
    refused_id = uuid5(NAMESPACE, "refused")
    if not ledger.history(idea, refused_id):
        put_forward(ledger, refused_id, "culture", "isle-centre")
        words = wordings.keep(connection, "L’idée vantait un commerce.")
        refuse = RefuseIdea(
            at=now(), actor=REVIEWER, idea_id=refused_id, reason="commercial", words_sha256=words
        )
        ledger.handle(idea, refused_id, refuse)
    return len(PLANS)


def now() -> datetime:
    """Give when the village did all this: before its first round."""
    return datetime.now(UTC) - timedelta(days=45)


def project_id_of(plan: Plan) -> UUID:
    return uuid5(uuid5(NAMESPACE, plan.title), "project")


def put_forward(ledger: Ledger, idea_id: UUID, theme: Any, place: str) -> None:
    command = ProposeIdea(
        at=now(),
        actor="public",
        idea_id=idea_id,
        subject_id=uuid5(idea_id, "author"),
        theme=theme,
        place=place,
        territory_version=NEWEST.version,
        tie="lives_here",
    )
    ledger.handle(idea, idea_id, command)


def propose(  # noqa: PLR0913, PLR0917 - each is a field of the form.
    ledger: Ledger, connection: Connection[Any], title: str, text: str, theme: Any, place: str
) -> UUID:
    idea_id = uuid5(NAMESPACE, title)
    put_forward(ledger, idea_id, theme, place)
    digest = wordings.keep_document(connection, {"title": title, "text": text})
    accept = AcceptIdea(at=now(), actor=REVIEWER, idea_id=idea_id, text_sha256=digest)
    ledger.handle(idea, idea_id, accept)
    return idea_id


def publish(ledger: Ledger, connection: Connection[Any], plan: Plan, number: int) -> None:
    """Lead one made-up idea to its published project, through the real commands."""
    idea_id = propose(ledger, connection, plan.title, plan.summary, plan.theme, plan.place)
    dice = random.Random(number)  # noqa: S311 - made-up scores need no secret.
    known = CRITERIA[-1]
    of: dict[str, Any] = {"at": now(), "idea_id": idea_id}
    for member in (MEMBER, OTHER_MEMBER):
        scores = tuple(
            Score(criterion=one.key, points=dice.randint(one.points_max - 2, one.points_max))
            for one in known.criteria
        )
        scored = ScoreIdea(
            actor=member, criteria_version=known.version, scores=scores, named=True, **of
        )
        ledger.handle(idea, idea_id, scored)
    ledger.handle(idea, idea_id, CloseEvaluation(actor=MEMBER, **of))
    project_id = project_id_of(plan)
    ledger.handle(idea, idea_id, TurnIntoProject(actor=REVIEWER, project_id=project_id, **of))
    about: dict[str, Any] = {"at": now(), "actor": REVIEWER, "project_id": project_id}
    sheet = sheet_of(connection, plan, number)
    for command in (
        DraftProject(idea_ids=(idea_id,), **about),
        WriteSheet(sheet=sheet, **about),
        PublishProject(**about),
    ):
        ledger.handle(project, project_id, command)


def sheet_of(connection: Connection[Any], plan: Plan, number: int) -> Sheet:
    digest = pictures.keep(connection, drawn(plan.theme, number))
    width, height = pictures.size_of(connection, digest)
    goal = plan.euros * 100
    lines = [("Matériel et travaux", goal * 7 // 10), ("Animation et assurance", goal * 3 // 10)]
    alt = f"Dessin d’un paysage au bord de la Sorgue, pour « {plan.title} »."
    today = civil_day(now())
    document = {
        "title": plan.title,
        "summary": plan.summary,
        "text": f"{plan.summary}\n\nLe projet est ouvert à tous, et rend compte à chaque étape.",
        "carrier": plan.carrier,
        "beneficiary": "Les habitants du pays des Sorgues",
        "payee": plan.carrier,
        "responsible_named": False,
        "lines": [{"label": label, "cents": cents} for label, cents in lines],
        "milestones": [
            {"key": f"m{place}", "title": step, "indicator": "Photographie et compte rendu publiés"}
            for place, step in enumerate(plan.steps, 1)
        ],
        "pictures": [{"sha256": digest, "alt": alt, "width": width, "height": height}],
    }
    carrier = uuid5(NAMESPACE, plan.carrier)
    return Sheet(
        document_sha256=wordings.keep_document(connection, document),
        theme=plan.theme,
        place=plan.place,
        territory_version=NEWEST.version,
        goal_cents=goal,
        line_cents=tuple(cents for _, cents in lines),
        carrier_id=carrier,
        beneficiary_id=uuid5(NAMESPACE, "inhabitants"),
        payee_id=carrier,
        responsible_id=uuid5(carrier, "responsible"),
        milestones=tuple(
            PlannedMilestone(key=f"m{place}", due_on=today + timedelta(days=90 * place))
            for place in range(1, len(plan.steps) + 1)
        ),
        pictures=(digest,),
        if_abandoned="next_round",
    )


SKIES = ("#f6d7a8", "#f3c6a5", "#cfe3ea", "#e9d3c0")
HILLS = ("#8aa27a", "#a9865e", "#6f8f86", "#9a7b8c")


def drawn(theme: Theme, number: int) -> bytes:
    """Draw a landscape: sky, sun, hills, the river, and a sign of the theme on its bank."""
    dice = random.Random(number + 1)  # noqa: S311 - a drawing needs no secret.
    width, height = SIZE
    image = Image.new("RGB", SIZE, SKIES[number % len(SKIES)])
    pen = ImageDraw.Draw(image)
    sun = dice.randint(150, width - 150)
    pen.ellipse((sun - 70, 90, sun + 70, 230), fill="#fbf3df")
    for layer in range(3):
        base = 380 + 70 * layer
        tops = [(x, base - dice.randint(0, 130)) for x in range(0, width + 200, 200)]
        ground = HILLS[(number + layer) % len(HILLS)]
        pen.polygon([(0, height), *tops, (width, height)], fill=ground)
    pen.rectangle((0, 600, width, height), fill="#4f8fa0")
    for _ in range(40):
        x, y = dice.randint(0, width), dice.randint(615, height - 10)
        pen.line((x, y, x + dice.randint(40, 160), y), fill="#8fc0c8", width=4)
    sign(pen, theme, dice.randint(300, width - 300))
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def sign(pen: ImageDraw.ImageDraw, theme: Theme, x: int) -> None:
    """Draw what a theme is known by: a wheel, a tree, a tent, a boat."""
    ink = "#3b2a20"
    match theme:
        case "heritage" | "mobility":
            for radius in (110, 70):
                pen.ellipse(
                    (x - radius, 560 - radius, x + radius, 560 + radius), outline=ink, width=14
                )
            pen.line((x - 110, 560, x + 110, 560), fill=ink, width=12)
            pen.line((x, 450, x, 670), fill=ink, width=12)
        case "nature" | "solidarity":
            pen.rectangle((x - 14, 470, x + 14, 620), fill=ink)
            pen.ellipse((x - 120, 300, x + 120, 500), fill="#4c7a4e")
        case "culture" | "youth":
            pen.polygon([(x - 150, 610), (x, 400), (x + 150, 610)], fill="#a3401f")
            pen.polygon([(x - 30, 610), (x, 500), (x + 30, 610)], fill=ink)
        case "water" | "sport":
            pen.polygon([(x - 140, 640), (x + 140, 640), (x + 90, 700), (x - 90, 700)], fill=ink)
            pen.polygon([(x, 420), (x, 630), (x + 110, 630)], fill="#fbf3df")
