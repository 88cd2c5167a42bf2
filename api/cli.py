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

from api import commands
from api.refusals import error_of
from api.serve import AddressTaken
from ledger.db import DatabaseUrlRefused
from ledger.decider import Refused
from ledger.embedded import EmbeddedPostgresFailed
from ledger.events import Undecodable
from ledger.keyring import KeyDiffers, KeyMalformed, KeyMissing
from ledger.migrate import MigrationRefused
from ledger.settings import SettingRefused, Settings
from ledger.store import LedgerUnavailable
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
    except (KeyMissing, KeyDiffers, KeyMalformed, MigrationRefused) as unsafe:
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
    add = command(partner, "add", commands.add_partner, "register a partner and make it active")
    add.add_argument("--name", required=True)
    add.add_argument("--siret", required=True, help="14 digits")
    add.add_argument("--valid-from", type=date.fromisoformat, metavar="DAY", help="2026-11-23")
    add.add_argument("--valid-until", type=date.fromisoformat, metavar="DAY", help="last day")
    command(partner, "list", commands.list_partners, "list the partners")
    suspend = command(partner, "suspend", commands.suspend_partner, "suspend a partner")
    suspend.add_argument("--partner", type=UUID, required=True, metavar="ID")
    suspend.add_argument("--reason", required=True)
    reinstate = command(partner, "reinstate", commands.reinstate_partner, "make it active again")
    reinstate.add_argument("--partner", type=UUID, required=True, metavar="ID")
    reinstate.add_argument("--valid-until", type=date.fromisoformat, metavar="DAY")


def add_till_commands(verbs: "Verbs") -> None:
    till = group(verbs, "till", "tills, one a device")
    enrol = command(till, "enrol", commands.enrol_till, "enrol a till and print its key once")
    enrol.add_argument("--partner", type=UUID, required=True, metavar="ID")
    enrol.add_argument("--name", default="Caisse 1")
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


if __name__ == "__main__":
    sys.exit(main())
