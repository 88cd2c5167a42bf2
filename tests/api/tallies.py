"""A round that was voted in, to be counted."""

import random

from ledger.ballots import CastBallot, ballot, ballot_id_of
from ledger.donations import donation
from ledger.rounds import round_
from ledger.rounds.definition import Definition
from projections.open_rounds import terms_of
from tests.api.served import Served
from tests.api.shops import Shop
from tests.projections.village import a_gift
from tests.rounds import BIKES, CHOIR, OVEN, SHADE

SEED = 41


def voted(served: Served, shop: Shop, made: Definition, gifts: int) -> int:
    """Record gifts of customers and ballots for two in three of them; give the cents of the pot."""
    dice = random.Random(SEED)
    ledger = served.context.ledger
    given = [a_gift(shop, dice).model_copy(update={"source": "customer"}) for _ in range(gifts)]
    ledger.handle_all(donation, [(one.donation_id, one) for one in given], presume_new=True)
    state = round_.fold(one.event for one in ledger.history(round_, made.round_id))
    terms = terms_of(made, state)
    ballots = []
    for one in given[: gifts * 2 // 3]:
        picks = tuple(dice.sample([BIKES, SHADE, CHOIR, OVEN], dice.randint(1, 3)))
        ballot_id = ballot_id_of(served.context.keyring.tickets, made.round_id, one.donation_id)
        command = CastBallot(
            at=one.at,
            actor="public",
            ballot_id=ballot_id,
            donation_id=one.donation_id,
            terms=terms,
            picks=picks,
            channel="api",
        )
        ballots.append((ballot_id, command))
    ledger.handle_all(ballot, ballots, presume_new=True)
    return sum(one.amount_cents for one in given)
