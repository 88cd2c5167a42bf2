"""What the commands on cards do: reconcile with Stripe, and say how things stand."""

import sys
from argparse import Namespace
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from tqdm import tqdm

from api import card_reconciling, card_worker, cards
from api.commands import ready, tell
from api.deps import Context, open_context
from ledger import inbox
from ledger.settings import Settings
from projections import follow, payments, payouts
from projections.every import READ_MODELS
from projections.payouts import Difference


def euros(cents: int) -> str:
    sign, cents = "-" if cents < 0 else "", abs(cents)
    return f"{sign}{cents // 100}.{cents % 100:02d} €"


def reconcile(settings: Settings, asked: Namespace) -> int:
    """List what Stripe says happened, act upon what never came, and print what still differs."""
    with ready(settings) as conninfo, open_context(settings, conninfo) as context:
        cards.gateway_of(context)
        with tqdm(unit=" events", desc="listed", file=sys.stderr) as bar:
            found = card_reconciling.reconcile(context, bar.update)
        card_worker.work_off(context)
        facts, differing = standing(context, conninfo)
    facts |= {"events": found.events, "missing": found.missing, "payouts": found.payouts}
    words = [
        f"{found.events} events listed, {found.missing} of them never announced here",
        f"{found.payouts} payouts read",
        *words_of(facts, differing),
    ]
    tell(asked, facts, "\n".join(words))
    return 1 if differing or facts["inbox"]["failing"] else 0


def status(settings: Settings, asked: Namespace) -> int:
    """Say whether cards are taken, what waits, and what differs. Stripe is not asked."""
    with ready(settings) as conninfo, open_context(settings, conninfo) as context:
        facts, differing = standing(context, conninfo)
        last = card_reconciling.newest(context)
    ended = None if last is None else last.ended_at.isoformat(timespec="seconds")
    facts |= {"reconciled_at": ended, "reconciliation_failed": last and last.failure}
    words = [f"last reconciliation: {ended or 'never'}", *words_of(facts, differing)]
    if last is not None and last.failure is not None:
        words.append(f"it failed: {last.failure}")
    tell(asked, facts, "\n".join(words))
    return 0


def standing(context: Context, conninfo: str) -> tuple[dict[str, Any], list[Difference]]:
    """Gather how cards stand, with the read models at the head of the feed."""
    follow.catch_up(conninfo, READ_MODELS)
    gateway = context.gateway
    mode = "off" if gateway is None else "live" if gateway.livemode else "test"
    with context.pool.connection() as connection:
        counts = inbox.counts(connection)
        failing = inbox.failing(connection)
        sums = payments.sums(connection)
        differing = payouts.differences(connection, datetime.now(UTC))
    return {
        "mode": mode,
        "taken": cards.taken(context),
        "webhook_verified": gateway is not None and gateway.hears,
        "inbox": asdict(counts)
        | {"last_received_at": counts.last_received_at and counts.last_received_at.isoformat()},
        "failing": [
            {"event_id": one.event_id, "kind": one.kind, "attempts": one.attempts}
            | {"failure": one.failure}
            for one in failing
        ],
        "payments": asdict(sums) | {"remaining_cents": sums.remaining_cents},
        "differences": [asdict(one) | {"since": one.since.isoformat()} for one in differing],
    }, differing


def words_of(facts: dict[str, Any], differing: list[Difference]) -> list[str]:
    inside, sums = facts["inbox"], facts["payments"]
    words = [
        f"cards: {facts['mode']}{'' if facts['taken'] else ', no gift is taken'}",
        f"announcements: {inside['waiting']} waiting, {inside['failing']} of them failing",
        f"ignored: {inside['connected']} of connected accounts, {inside['not_ours']} not ours",
        f"paid: {sums['succeeded']} payments, {euros(sums['remaining_cents'])} still here",
        f"on their way: {sums['processing']} payments, {euros(sums['processing_cents'])}",
    ]
    words += [
        f"fails: {one['kind']} {one['event_id']}: {one['failure']}" for one in facts["failing"]
    ]
    words += [
        f"differs: {one.name} {one.about}  {euros(one.cents)}  since {one.since}"
        for one in differing
    ]
    return words
