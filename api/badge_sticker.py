"""The window sticker: a tagged PDF/A that a shop prints, with the address where it is checked."""

import json
from datetime import UTC, datetime, time
from io import BytesIO
from typing import Any, Final
from uuid import UUID

import segno
import typst
from psycopg import Connection

from api import i18n
from api.badge_documents import Desk, shop_on
from api.pages import ROOM
from ledger.calendar import civil_day

TEMPLATE: Final = ROOM / "templates" / "badge" / "sticker.typ"


class NotAPartner(Exception):
    """There is no sticker for a shop that is no partner today."""


def sticker_of(desk: Desk, connection: Connection[Any], partner_id: UUID) -> bytes:
    """Print the sticker of a partner. Raises NotAPartner or PartnerNotFound."""
    today = civil_day(datetime.now(UTC))
    shop = shop_on(connection, partner_id, today)
    if not shop.is_partner:
        raise NotAPartner
    address = f"{desk.public_url}/badges/{partner_id}"
    says = {
        "shop": shop.name,
        "agreement": shop.agreement,
        "address": address,
        "qr": drawn(address),
    }
    if shop.valid_until is not None:
        says["until_fr"] = i18n.day(shop.valid_until, "fr")
        says["until_en"] = i18n.day(shop.valid_until, "en")
    return typst.compile(
        TEMPLATE.read_bytes(),
        ignore_system_fonts=True,
        sys_inputs={"says": json.dumps(says)},
        pdf_standards=["a-2a", "ua-1"],
        timestamp=datetime.combine(today, time.min, UTC),
    )


def drawn(address: str) -> str:
    """Draw an address as a QR code, with what light around it the sticker does not give."""
    out = BytesIO()
    segno.make(address, error="m", micro=False).save(
        out, kind="svg", border=2, dark="#000", light="#fff"
    )
    return out.getvalue().decode()
