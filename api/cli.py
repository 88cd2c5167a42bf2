"""The command line: what an operator does on the machine of the ledger.

Exit codes: 0 done, 1 refused or something differs, 2 wrong usage or settings, 3 no database.
"""

import argparse
import getpass
import os
import sys
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import psycopg
from psycopg_pool import PoolTimeout

from api import (
    badge_commands,
    bank_commands,
    card_commands,
    commands,
    foundation_commands,
    round_commands,
    rule_commands,
    statement_commands,
    user_commands,
)
from api.refusals import error_of
from api.serve import AddressTaken
from ledger.db import DatabaseUrlRefused
from ledger.decider import Refused
from ledger.embedded import EmbeddedPostgresFailed
from ledger.events import Undecodable
from ledger.keyring import KeyDiffers, KeyMalformed, KeyMissing
from ledger.migrate import MigrationRefused
from ledger.partners.register import SECTORS
from ledger.people import ROLES
from ledger.settings import SettingRefused, Settings
from ledger.store import LedgerUnavailable
from ledger.vault import VaultTampered
from projections.follow import Poisoned

DONE, REFUSED, USAGE, NO_DATABASE = 0, 1, 2, 3

Run = Callable[[Settings, argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    asked = parser().parse_args(arguments)
    run: Run = asked.run
    try:
        return run(Settings.from_environment(os.environ), asked)
    except Refused as refusal:
        error = error_of(refusal)
        facts = "".join(f"\n  {name}: {value}" for name, value in error.items() if name != "name")
        print(f"refused: {error['name']}{facts}", file=sys.stderr)
        return REFUSED
    except ValueError as invalid:
        print(f"refused: {invalid}", file=sys.stderr)
        return REFUSED
    except (SettingRefused, DatabaseUrlRefused, AddressTaken) as wrong:
        print(wrong, file=sys.stderr)
        return USAGE
    except (KeyMissing, KeyDiffers, KeyMalformed, VaultTampered, MigrationRefused) as unsafe:
        print(f"{type(unsafe).__name__}: {unsafe}", file=sys.stderr)
        return REFUSED
    except (EmbeddedPostgresFailed, LedgerUnavailable, PoolTimeout, psycopg.OperationalError) as no:
        print(f"no database: {no}", file=sys.stderr)
        return NO_DATABASE
    except (Poisoned, Undecodable) as spoilt:
        print(f"{spoilt}; `donpositif check` tells more", file=sys.stderr)
        return REFUSED
    except OSError as file:
        print(f"{file.filename or 'system'}: {file.strerror}", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        print("stopped; run it again to go on", file=sys.stderr)
        return REFUSED


def parser() -> argparse.ArgumentParser:
    """Make the parser of every command."""
    top = argparse.ArgumentParser(
        prog="donpositif", description="The open ledger of a town's generosity."
    )
    verbs = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    command(verbs, "serve", commands.serve, "serve the pages, the API and the read models")
    command(verbs, "migrate", commands.migrate, "bring the database's tables up to date")
    command(verbs, "demo", commands.demo, "load the demonstration village")
    add_partner_commands(verbs)
    add_till_commands(verbs)
    add_import_commands(verbs)
    add_user_commands(verbs)
    add_vault_commands(verbs)
    add_rule_commands(verbs)
    add_round_commands(verbs)
    add_badge_commands(verbs)
    add_statement_commands(verbs)
    add_bank_commands(verbs)
    add_card_commands(verbs)
    add_foundation_commands(verbs)
    rebuild = command(verbs, "rebuild", commands.rebuild, "rebuild read models from the events")
    rebuild.add_argument("name", nargs="?", help="one read model; all of them when left out")
    command(verbs, "check", commands.check, "derive every balance a second way and compare")
    return top


if TYPE_CHECKING:
    Verbs = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - it has no public name.


def command(verbs: "Verbs", name: str, run: Run, purpose: str) -> argparse.ArgumentParser:
    """Add a command; every one can answer with one JSON object."""
    made = verbs.add_parser(name, help=purpose, description=purpose.capitalize() + ".")
    made.add_argument("--json", action="store_true", help="one JSON object on standard output")
    made.set_defaults(run=run, actor=f"console:{account()}")
    return made


def account() -> str:
    """Name who gives the commands, by number where the account has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def group(verbs: "Verbs", name: str, purpose: str) -> "Verbs":
    made = verbs.add_parser(name, help=purpose)
    return made.add_subparsers(title="commands", required=True, metavar="COMMAND")


def add_partner_commands(verbs: "Verbs") -> None:
    partner = group(verbs, "partner", "partner shops")
    add = command(partner, "add", commands.add_partner, "register a partner; it is not active yet")
    add.add_argument("--name", required=True)
    add.add_argument("--siret", required=True, help="14 digits")
    add.add_argument("--legal-name", metavar="NAME", help="the name by default")
    add.add_argument("--place", help="its town; given together with its sector")
    add.add_argument("--sector", choices=SECTORS)
    command(partner, "list", commands.list_partners, "list the partners")


def add_till_commands(verbs: "Verbs") -> None:
    till = group(verbs, "till", "tills, one a device")
    enrol = command(till, "enrol", commands.enrol_till, "enrol a till and print its key once")
    enrol.add_argument("--partner", type=UUID, required=True, metavar="ID")
    enrol.add_argument("--name", default="Caisse 1")
    offer = command(till, "offer", commands.offer_till, "print a code that sets up a till's device")
    whose = offer.add_mutually_exclusive_group(required=True)
    whose.add_argument("--partner", type=UUID, metavar="ID", help="for a new till")
    whose.add_argument("--till", type=UUID, metavar="ID", help="for another device of this till")
    offer.add_argument("--name", default="Caisse 1", help="of a new till")
    rotate = command(till, "rotate", commands.rotate_till, "give a till a new key, printed once")
    rotate.add_argument("--till", type=UUID, required=True, metavar="ID")
    revoke = command(till, "revoke", commands.revoke_till, "refuse a till from now on")
    revoke.add_argument("--till", type=UUID, required=True, metavar="ID")
    revoke.add_argument("--reason", required=True)


def add_import_commands(verbs: "Verbs") -> None:
    imports = group(verbs, "import", "files from elsewhere")
    sales = command(imports, "sales", commands.import_sales, "record the round-ups of sales")
    sales.add_argument("file", type=Path, help="CSV with the columns customer,date,amount_cents")
    sales.add_argument("--partner", type=UUID, required=True, metavar="ID")
    sales.add_argument("--till", type=UUID, required=True, metavar="ID")
    sales.add_argument("--ask", required=True, choices=["round-up"])
    sales.add_argument("--shift-days", type=int, default=0, metavar="N", help="added to each day")


def add_user_commands(verbs: "Verbs") -> None:
    user = group(verbs, "user", "accounts of people who act for the foundation or a partner")
    add = command(user, "add", user_commands.add_user, "open an account, print its one-time link")
    add.add_argument("--email", required=True)
    add.add_argument("--name", required=True)
    roles = command(user, "roles", user_commands.change_roles, "replace the roles of an account")
    for takes_roles in (add, roles):
        takes_roles.add_argument("--role", action="append", choices=ROLES, required=True)
        takes_roles.add_argument(
            "--partner", action="append", type=UUID, default=[], metavar="ID", help="of a manager"
        )
    disable = command(user, "disable", user_commands.disable_user, "refuse an account from now on")
    enable = command(user, "enable", user_commands.enable_user, "let a disabled account in again")
    link = command(user, "link", user_commands.link_user, "print a new one-time link")
    purpose = "disable an account and erase its holder's data, for ever"
    erase = command(user, "erase", user_commands.erase_user, purpose)
    for takes_account in (roles, disable, enable, link, erase):
        takes_account.add_argument("--account", type=UUID, required=True, metavar="ID")
    command(user, "list", user_commands.list_users, "list the accounts")


def add_vault_commands(verbs: "Verbs") -> None:
    vault = group(verbs, "vault", "personal data, sealed outside of the events")
    purpose = "complete the erasures: seal what stays under a new key, destroy the old one"
    command(vault, "rotate", user_commands.rotate_vault, purpose)


def add_rule_commands(verbs: "Verbs") -> None:
    rule = group(verbs, "rule", "vote rules, on any file of the Pabulib format")
    run = command(rule, "run", rule_commands.run_rule, "count a file by a rule")
    run.add_argument("file", type=Path, metavar="FILE.pb")
    rules = ["declared", "equal_shares", "greedy"]
    run.add_argument("--rule", choices=rules, default="declared", help="the file's own by default")
    completions = ["none", "add1"]
    run.add_argument("--completion", choices=completions, help="what the file declares, or none")
    run.add_argument("--increment", type=positive, default=1, metavar="UNITS", help="of add1")
    starts = ["exact", "whole"]
    run.add_argument("--start", choices=starts, help="of add1; whole where the file declares it")
    run.add_argument("--stop", choices=["over_budget", "exhausted"], default="over_budget")
    run.add_argument("--then", choices=["greedy", "nothing"], default="nothing")
    measures = ["votes", "weight", "points"]
    run.add_argument("--by", choices=measures, help="of greedy; points where the file has them")
    misfits = ["skip", "stop"]
    run.add_argument("--misfit", choices=misfits, help="of greedy; what the file declares, or skip")
    run.add_argument("--support-min", type=positive, metavar="N", help="of greedy; 1 if undeclared")
    purpose = "count a round again from its public files"
    again = command(verbs, "recount", rule_commands.run_recount, purpose)
    again.add_argument("place", metavar="FOLDER_OR_URL")


def add_round_commands(verbs: "Verbs") -> None:
    rounds = group(verbs, "round", "votes on money")
    command(rounds, "list", round_commands.list_rounds, "list the rounds")
    close = command(rounds, "close", round_commands.close_round, "close a round that is due")
    purpose = "count a closed round, keep its files and record the result"
    tally = command(rounds, "tally", round_commands.tally_closed, purpose)
    for takes_round in (close, tally):
        takes_round.add_argument("round", type=UUID, metavar="ID")


def add_statement_commands(verbs: "Verbs") -> None:
    statement = group(verbs, "statement", "what shops collected, and owe the foundation")
    purpose = "list statements, the newest first, and what is on none yet"
    listed = command(statement, "list", statement_commands.list_statements, purpose)
    listed.add_argument("--partner", type=UUID, metavar="ID", help="of one partner")
    listed.add_argument("--limit", type=positive, default=100, metavar="N")
    purpose = "close what is due by the foundation's terms; the running service does it by itself"
    close = command(statement, "close", statement_commands.close_statements, purpose)
    told = "close one of this partner instead, whatever the terms say"
    close.add_argument("--partner", type=UUID, metavar="ID", help=told)
    told = "with --partner: up to and including this day, today by default"
    close.add_argument("--last-on", type=date.fromisoformat, metavar="DAY", help=told)


def add_bank_commands(verbs: "Verbs") -> None:
    bank = group(verbs, "bank", "the foundation's account as its bank tells of it")
    purpose = "book the entries of a camt.053 file, each once, and match what is certain"
    imported = command(bank, "import", bank_commands.import_bank_file, purpose)
    imported.add_argument("file", type=Path, metavar="FILE.xml")
    purpose = "match what is certain; print what is open, what differs and which days are missing"
    command(bank, "reconcile", bank_commands.reconcile, purpose)


def add_card_commands(verbs: "Verbs") -> None:
    card = group(verbs, "card", "payments by card, as Stripe tells of them")
    purpose = "list what Stripe says happened, act upon what never came, print what differs"
    command(card, "reconcile", card_commands.reconcile, purpose)
    purpose = "say whether cards are taken, what waits, and what differs"
    command(card, "status", card_commands.status, purpose)


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("a whole number of at least 1")
    return number


def add_badge_commands(verbs: "Verbs") -> None:
    badge = group(verbs, "badge", "the signed badges of partners")
    purpose = "sign badges by a new key; those that are out still verify"
    rotate = command(badge, "rotate", badge_commands.rotate_badge, purpose)
    told = "the old key is in wrong hands: nothing it signed verifies any more"
    rotate.add_argument("--leaked", action="store_true", help=told)


def add_foundation_commands(verbs: "Verbs") -> None:
    foundation = group(verbs, "foundation", "the foundation that collects")
    purpose = "say what it is called and its SIRET; its account is named in the office, by two"
    describe = command(foundation, "describe", foundation_commands.describe_foundation, purpose)
    describe.add_argument("--name", required=True)
    describe.add_argument("--siret", required=True, help="14 digits")
    purpose = "show its name, its account and its terms of settlement"
    command(foundation, "show", foundation_commands.show_foundation, purpose)


if __name__ == "__main__":
    sys.exit(main())
