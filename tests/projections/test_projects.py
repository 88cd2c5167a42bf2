"""The read models of ideas, projects and ambassadors: rebuilt they are the same, and checked."""

import random
from uuid import uuid4

import psycopg

from api import demo_projects
from ledger.donations import donation
from ledger.store import Ledger
from projections import ideas, projects
from projections.check import check
from projections.every import READ_MODELS
from projections.follow import catch_up
from projections.rebuild import rebuild
from tests.projections.village import a_gift, found, rows

NAMES = ("ideas", "projects", "ambassadors")


def test_the_demonstration_is_the_same_after_a_rebuild_and_checks(
    ledger: Ledger, conninfo: str
) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        count = demo_projects.load(ledger, connection)
        catch_up(conninfo, READ_MODELS)
        live = rows(conninfo)
        assert demo_projects.load(ledger, connection) == count
        assert catch_up(conninfo, READ_MODELS) == 0
        rebuild(conninfo, {name: READ_MODELS[name] for name in NAMES})
        assert rows(conninfo) == live
        assert check(connection).differences == []
        shown = projects.listed(connection)
        assert len(shown) == count == 12
        assert {one.state for one in shown} == {"published"}
        assert all(one.document["pictures"][0]["alt"] for one in shown)
        assert ideas.counted(connection) == {"project": 12, "accepted": 3, "refused": 1}


def test_a_gift_that_names_a_project_is_counted_published_or_not(
    ledger: Ledger, conninfo: str
) -> None:
    shops, dice = found(ledger, 10), random.Random(3)
    known, unknown = demo_projects.project_id_of(demo_projects.PLANS[0]), uuid4()
    with psycopg.connect(conninfo, autocommit=True) as connection:
        demo_projects.load(ledger, connection)
        for project_id in (known, known, unknown):
            gift = a_gift(shops[0], dice).model_copy(update={"project_id": project_id})
            handled = ledger.handle(donation, gift.donation_id, gift)
            assert handled.fresh == 1
        catch_up(conninfo, READ_MODELS)
        shown = projects.one(connection, known)
        assert shown is not None
        assert shown.gifts_naming == 2
        assert projects.gifts_naming_unknown(connection) == 1
