"""Three years of a few partners agree with a second and simpler model."""

import random
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from psycopg import Connection
from psycopg_pool import ConnectionPool

from ledger.store import open_ledger
from projections import standings
from projections.admission import Admission
from projections.check import check
from projections.every import READ_MODELS
from projections.feed import head
from projections.follow import catch_up, connected
from tests.simulation.partner_years import PAINTED, START, YEARS, Years

SEED = 36


def some_days(dice: random.Random) -> list[date]:
    return [START + timedelta(days=dice.randrange(-5, PAINTED - 366)) for _ in range(60)]


@pytest.mark.parametrize("seed", [SEED, SEED + 1])
def test_years_of_partners_agree_with_a_second_model(conninfo: str, seed: int) -> None:
    print(f"seed {seed}")
    dice = random.Random(seed)
    catch_up(conninfo, READ_MODELS)
    with open_ledger(conninfo) as ledger, connected(conninfo) as connection:
        years = Years(ledger, dice)
        years.open_shops()
        remembered: list[tuple[int, UUID, date, str]] = []
        while years.today < START + timedelta(days=YEARS):
            years.step()
            if dice.random() < 0.2:
                shop, on = dice.choice(years.shops), dice.choice(some_days(dice))
                known = (head(connection), shop, on, years.painted[shop].status(on))
                remembered.append(known)
        assert years.refused > 50
        assert {"CertificationRenewed", "CertificationReinstated"} <= years.kinds
        assert {"CertificationRevoked", "AppealAccepted", "AgreementAmended"} <= years.kinds
        catch_up(conninfo, READ_MODELS)
        agree_now(connection, conninfo, years)
        for position, shop, on, status in remembered:
            answer = standings.answer(connection, shop, on, position)
            told = None if answer is None else answer.status
            assert (told, on, position) == (status, on, position)
        assert check(connection).ok


def agree_now(connection: Connection[Any], conninfo: str, years: Years) -> None:
    """Compare every way of asking what a partner is with the painted days."""
    with ConnectionPool(conninfo, min_size=1, open=True) as pool:
        admission = Admission(pool)
        admission.refresh()
        seen: set[str] = set()
        for on in some_days(years.dice):
            listed = standings.everyone(connection, on)
            for shop, painted in years.painted.items():
                status = painted.status(on)
                seen.add(status)
                answer = standings.answer(connection, shop, on)
                assert answer is not None
                assert (shop, on, answer.status) == (shop, on, status)
                assert admission.standing(shop, on) == status
                assert listed.get(shop, "registered") == status
    assert seen >= {"registered", "active", "suspended", "lapsed", "revoked", "ended"}
