"""What the command line does with statements: lists them, closes what is due or one by hand."""

import sys
from argparse import Namespace

from tqdm import tqdm

from api import settling
from api.commands import ready, tell
from api.deps import open_context
from ledger.references import in_groups
from ledger.settings import Settings
from ledger.settlements.events import StatementClosed
from projections import dues, follow, partners, statements
from projections.every import READ_MODELS
from projections.statements import Statement


def list_statements(settings: Settings, asked: Namespace) -> int:
    """List the statements of a partner or of all, and what is on none yet."""
    with ready(settings) as conninfo:
        follow.catch_up(conninfo, READ_MODELS)
        with follow.connected(conninfo) as connection:
            if asked.partner is None:
                found = statements.newest(connection, asked.limit)
            else:
                found = statements.of_partner(connection, asked.partner)[: asked.limit]
            waiting = dues.open_of(connection, asked.partner)
            names = {one.partner_id: one.name for one in partners.directory(connection, limit=None)}
    facts = {
        "statements": [facts_of(one) for one in found],
        "open": [
            {"partner_id": str(one.partner_id), "lines": one.lines, "cents": one.cents}
            for one in waiting
        ],
    }
    lines = [
        f"{one.statement_id}  {one.number:>4}  until {one.last_on}  due {one.due_on}  "
        f"{euros(one.owed_cents):>12}  left {euros(one.outstanding_cents):>12}  "
        f"{in_groups(one.reference)}  {names.get(one.partner_id, '')}"
        for one in found
    ]
    lines.append(f"on no statement yet: {euros(sum(one.cents for one in waiting))}")
    tell(asked, facts, "\n".join(lines))
    return 0


def close_statements(settings: Settings, asked: Namespace) -> int:
    """Close what the terms say is due; or, for one partner, what is open up to a day."""
    with ready(settings) as conninfo, open_context(settings, conninfo) as context:
        follow.catch_up(conninfo, READ_MODELS)
        if asked.partner is not None:
            closed = [settling.close_now(context, asked.actor, asked.partner, asked.last_on)]
        else:
            with context.pool.connection() as connection:
                waiting = len(dues.open_of(connection))
            with tqdm(total=waiting, unit=" partners", file=sys.stderr) as bar:
                closed = settling.close_due(context, progress=bar.update)
        # The letters are written from the figures, which may have nobody else to bring them.
        follow.catch_up(conninfo, READ_MODELS)
    words = [
        f"{one.statement_id}  {one.number:>4}  until {one.last_on}  {euros(one.owed_cents):>12}"
        for one in closed
    ]
    tell(
        asked,
        {"closed": [closed_facts(one) for one in closed]},
        "\n".join(words) or "nothing is due",
    )
    return 0


def facts_of(one: Statement) -> dict[str, str | int | None]:
    return {
        "statement_id": str(one.statement_id),
        "partner_id": str(one.partner_id),
        "number": one.number,
        "first_on": one.first_on.isoformat(),
        "last_on": one.last_on.isoformat(),
        "due_on": one.due_on.isoformat(),
        "reference": one.reference,
        "owed_cents": one.owed_cents,
        "banked_cents": one.banked_cents,
        "written_off_cents": one.written_off_cents,
        "set_off_cents": one.set_off_cents,
        "outstanding_cents": one.outstanding_cents,
        "lines_sha256": one.lines_sha256,
    }


def closed_facts(one: StatementClosed) -> dict[str, str | int]:
    return {
        "statement_id": str(one.statement_id),
        "partner_id": str(one.partner_id),
        "number": one.number,
        "owed_cents": one.owed_cents,
        "reference": one.reference,
        "due_on": one.due_on.isoformat(),
    }


def euros(cents: int) -> str:
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d} €"
