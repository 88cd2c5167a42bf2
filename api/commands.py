"""What each command of the command line does: open, ask the ledger, say what came of it."""

import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import msgspec
import psycopg
from tqdm import tqdm

from api import admin, demo_office, enrolment
from api.demo import load_demo
from api.deps import Context, open_context
from api.sales_import import SalesImport, sales_in
from api.serve import serve as run_service
from ledger.db import database
from ledger.decider import Refused
from ledger.migrate import migrate as apply_migrations
from ledger.partners.register import PartnerNotRegistered
from ledger.settings import Settings
from ledger.tills import TillNotEnrolled
from projections import feed, follow, partners
from projections import rebuild as rebuilding
from projections.check import check as check_ledger
from projections.every import READ_MODELS

TOUR = "For a tour of the office, a link sets a made-up person's password, once, for a week:"


class ReadModelUnknown(Refused):
    """No read model has this name."""


class TillOfAnotherPartner(Refused):
    """This till was enrolled for another partner."""


def tell(asked: Namespace, facts: dict[str, Any], words: str) -> None:
    """Say what came of a command: as JSON for programs, in words for people."""
    print(msgspec.json.encode(facts).decode() if asked.json else words)


@contextmanager
def ready(settings: Settings) -> Iterator[str]:
    """Give a database whose tables are up to date, embedded or not, running already or not."""
    with database(settings) as conninfo:
        apply_migrations(conninfo)
        with follow.connected(conninfo) as connection:
            follow.prepare(connection, READ_MODELS)
        yield conninfo


@contextmanager
def opened(settings: Settings) -> Iterator[Context]:
    with ready(settings) as conninfo, open_context(settings, conninfo) as context:
        yield context


def serve(settings: Settings, _: Namespace) -> int:
    run_service(settings)
    return 0


def migrate(settings: Settings, asked: Namespace) -> int:
    with database(settings) as conninfo:
        applied = apply_migrations(conninfo)
        with follow.connected(conninfo) as connection:
            follow.prepare(connection, READ_MODELS)
    tell(asked, {"applied": applied}, "\n".join(applied) or "nothing to do")
    return 0


def demo(settings: Settings, asked: Namespace) -> int:
    with ready(settings) as conninfo, open_context(settings, conninfo) as context:
        gifts = load_demo(context)
        follow.catch_up(conninfo, READ_MODELS)
        made = demo_office.links(context)
    facts = {
        "gifts": gifts,
        "links": [{"name": one.name, "role": one.role, "link": link} for one, link in made],
    }
    words = [f"the demonstration village holds {gifts} gifts", TOUR]
    words += [f"  {one.role:15}  {one.name:15}  {link}" for one, link in made]
    tell(asked, facts, "\n".join(words))
    return 0


def add_partner(settings: Settings, asked: Namespace) -> int:
    with opened(settings) as context:
        partner_id = admin.add_partner(
            context.ledger,
            asked.actor,
            asked.name,
            asked.siret,
            legal_name=asked.legal_name,
            place=asked.place,
            sector=asked.sector,
        )
    becomes = "It is active once it is certified and an agreement is in force."
    tell(asked, {"partner_id": str(partner_id)}, f"partner {partner_id}\n{becomes}")
    return 0


def list_partners(settings: Settings, asked: Namespace) -> int:
    with ready(settings) as conninfo:
        follow.catch_up(conninfo, READ_MODELS)
        with follow.connected(conninfo) as connection:
            found = partners.every(connection)
    words = "\n".join(f"{one.partner_id}  {one.status:10}  {one.name}" for one in found)
    tell(asked, {"partners": found}, words or "no partner yet")
    return 0


def enrol_till(settings: Settings, asked: Namespace) -> int:
    with opened(settings) as context:
        enrolled = admin.enrol_till(context.ledger, asked.actor, asked.partner, asked.name)
    tell_key(asked, enrolled)
    return 0


def offer_till(settings: Settings, asked: Namespace) -> int:
    with opened(settings) as context:
        if asked.till is None:
            admin.registered(context.ledger, asked.partner)
            offer = enrolment.offer_till(context, asked.actor, asked.partner, asked.name)
        else:
            held = context.admission.till(asked.till)
            if held is None:
                raise TillNotEnrolled(till_id=asked.till)
            offer = enrolment.offer_again(context, asked.actor, held.partner_id, asked.till)
        address = f"{context.settings.public_url}/till/app#{offer.code}"
    facts = {
        "till_id": str(offer.till_id),
        "code": offer.code,
        "expires_at": offer.expires_at,
        "address": address,
    }
    words = f"code {offer.code}, until {offer.expires_at.isoformat(timespec='minutes')}\n{address}"
    tell(asked, facts, words)
    return 0


def rotate_till(settings: Settings, asked: Namespace) -> int:
    with opened(settings) as context:
        rotated = admin.rotate_till_key(context.ledger, asked.actor, asked.till)
    tell_key(asked, rotated)
    return 0


def tell_key(asked: Namespace, enrolled: admin.EnrolledTill) -> None:
    facts = {"till_id": str(enrolled.till_id), "key": enrolled.key}
    words = f"till {enrolled.till_id}\nkey  {enrolled.key}\nThe key is shown only now: note it."
    tell(asked, facts, words)


def revoke_till(settings: Settings, asked: Namespace) -> int:
    with opened(settings) as context:
        admin.revoke_till(context.ledger, asked.actor, asked.till, asked.reason)
    tell(asked, {"till_id": str(asked.till)}, "revoked")
    return 0


def import_sales(settings: Settings, asked: Namespace) -> int:
    with opened(settings) as context:
        till = context.admission.till(asked.till)
        if till is None:
            raise TillNotEnrolled(till_id=asked.till)
        if till.partner_id != asked.partner:
            if not context.admission.partner_name(asked.partner):
                raise PartnerNotRegistered(partner_id=asked.partner)
            raise TillOfAnotherPartner(till_id=asked.till, partner_id=asked.partner)
        importing = SalesImport(
            ledger=context.ledger,
            admission=context.admission,
            key=context.keyring.imports,
            till=till,
            actor=asked.actor,
            ask_id=asked.ask,
            shift=timedelta(days=asked.shift_days),
        )
        with tqdm(total=sales_in(asked.file), unit=" sales", file=sys.stderr) as bar:
            imported = importing.run(asked.file, bar.update)
    facts = {
        "sales": imported.sales,
        "gifts": imported.gifts,
        "amount_cents": imported.amount_cents,
        "repeated": imported.repeated,
    }
    euros = f"{imported.amount_cents // 100}.{imported.amount_cents % 100:02d} €"
    known = f"{imported.repeated} of them recorded before"
    tell(asked, facts, f"{imported.gifts} gifts, {euros}, from {imported.sales} sales ({known})")
    return 0


def rebuild(settings: Settings, asked: Namespace) -> int:
    if asked.name is not None and asked.name not in READ_MODELS:
        raise ReadModelUnknown(asked=asked.name, known=", ".join(READ_MODELS))
    models = {asked.name: READ_MODELS[asked.name]} if asked.name else READ_MODELS
    with (
        ready(settings) as conninfo,
        tqdm(total=events_in(conninfo), unit=" events", file=sys.stderr) as bar,
    ):
        events = rebuilding.rebuild(conninfo, models, bar.update)
    rebuilt = list(models)
    tell(asked, {"rebuilt": rebuilt, "events": events}, f"{', '.join(rebuilt)}: {events} events")
    return 0


def check(settings: Settings, asked: Namespace) -> int:
    with ready(settings) as conninfo:
        stopped = caught_up(conninfo)
        with (
            follow.connected(conninfo) as connection,
            tqdm(total=events_in(conninfo), unit=" events", file=sys.stderr) as bar,
        ):
            checked = check_ledger(connection, bar.update)
    differences = stopped + checked.differences
    facts = {
        "ok": not differences,
        "events": checked.events,
        "differences": differences,
        "whereabouts": asdict(checked.whereabouts),
    }
    agreed = f"{checked.events} events read; every balance agrees with them\n"
    agreed += checked.whereabouts.words
    tell(asked, facts, "\n".join(differences) or agreed)
    return 1 if differences else 0


def caught_up(conninfo: str) -> list[str]:
    """Bring the read models to the head; say which one stopped on the way, and where."""
    try:
        follow.catch_up(conninfo, READ_MODELS)
    except follow.Poisoned as poisoned:
        return [str(poisoned)]
    return []


def events_in(conninfo: str) -> int:
    """Count the events of the feed, for a bar that knows its end."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        return feed.count(connection)
