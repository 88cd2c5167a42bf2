"""What the commands on badges do."""

from argparse import Namespace

from api.commands import opened, tell
from ledger.keyring import badge_keys, rotate_badge_key
from ledger.settings import Settings


def rotate_badge(settings: Settings, asked: Namespace) -> int:
    with opened(settings) as context, context.pool.connection() as connection:
        key = rotate_badge_key(settings.home, connection, leaked=asked.leaked)
        former = len(badge_keys(connection)) - 1
    facts = {"key": key.multikey, "former_keys": former}
    kept = (
        "What the old key signed holds no more: every shop fetches its badge again."
        if asked.leaked
        else "Badges that are out still verify: the old key's public half stays published."
    )
    words = (
        f"{key.multikey} signs badges from now on; the old secret is deleted.\n{kept}\n"
        "Back up the new badge.key, and destroy every copy of the old one."
    )
    tell(asked, facts, words)
    return 0
