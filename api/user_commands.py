"""What the commands on people's accounts and on the vault do."""

import sys
from argparse import Namespace
from typing import Any

from tqdm import tqdm

from api import people
from api.commands import opened, tell
from api.committee_letters import told
from api.erasure import erase_account
from api.people import AccountIn, Person
from ledger.settings import Settings
from ledger.vault import rotate, survivors


def add_user(settings: Settings, asked: Namespace) -> int:
    wanted = AccountIn(asked.email, asked.name, tuple(asked.role), tuple(asked.partner))
    with opened(settings) as context, told(context):
        made = people.open_account(context, asked.actor, wanted)
    facts = {"account_id": str(made.account_id), "link": made.link}
    words = f"account {made.account_id}\n{made.link}\nThe link sets the password, once, for a week."
    tell(asked, facts, words)
    return 0


def list_users(settings: Settings, asked: Namespace) -> int:
    with opened(settings) as context:
        found = people.people(context)
    words = "\n".join(f"{one.account_id}  {' '.join(one.roles):20}  {one.name}" for one in found)
    tell(asked, {"users": [facts_of(one) for one in found]}, words or "no account yet")
    return 0


def facts_of(one: Person) -> dict[str, Any]:
    return {
        "account_id": str(one.account_id),
        "name": one.name,
        "email": one.email,
        "roles": list(one.roles),
        "partner_ids": [str(partner_id) for partner_id in one.partner_ids],
        "enabled": one.enabled,
    }


def change_roles(settings: Settings, asked: Namespace) -> int:
    with opened(settings) as context, told(context):
        people.change_roles(
            context, asked.actor, asked.account, tuple(asked.role), tuple(asked.partner)
        )
    tell(asked, {"account_id": str(asked.account), "roles": asked.role}, "roles changed")
    return 0


def disable_user(settings: Settings, asked: Namespace) -> int:
    with opened(settings) as context:
        people.disable(context, asked.actor, asked.account)
    tell(asked, {"account_id": str(asked.account)}, "disabled, and signed out everywhere")
    return 0


def enable_user(settings: Settings, asked: Namespace) -> int:
    with opened(settings) as context, told(context):
        people.enable(context, asked.actor, asked.account)
    tell(asked, {"account_id": str(asked.account)}, "enabled")
    return 0


def erase_user(settings: Settings, asked: Namespace) -> int:
    with opened(settings) as context:
        erase_account(context, asked.actor, asked.account)
        pending = context.vault.erasures_pending()
    facts = {"account_id": str(asked.account), "erasures_pending": pending}
    words = (
        f"account {asked.account} is disabled; name, address and password are erased.\n"
        "What it did stays in the events under this random id: decisions must stay answerable.\n"
        f"{pending} erasures wait for `donpositif vault rotate` to be complete on this machine. "
        "Letters in the mail folder and backups of before are for you to destroy."
    )
    tell(asked, facts, words)
    return 0


def link_user(settings: Settings, asked: Namespace) -> int:
    with opened(settings) as context:
        link = people.new_link(context, asked.account)
    tell(asked, {"account_id": str(asked.account), "link": link}, link)
    return 0


def rotate_vault(settings: Settings, asked: Namespace) -> int:
    with opened(settings) as context, context.pool.connection() as connection:
        count = survivors(connection)
        with tqdm(total=count, unit=" people", file=sys.stderr) as bar:
            rotated = rotate(connection, settings.home, bar.update)
    facts = {
        "version": rotated.version,
        "survivors": rotated.survivors,
        "erasures_completed": rotated.erasures,
    }
    words = (
        f"key {rotated.version} seals the data of {rotated.survivors} people; "
        f"{rotated.erasures} erasures are complete on this machine.\n"
        "Destroy every copy of the old vault.key, back up the new one apart from the database, "
        "and back up the database again: older backups no longer open personal data."
    )
    tell(asked, facts, words)
    return 0
