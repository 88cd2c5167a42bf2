"""What must be found nowhere: ticket codes, tills' keys, and a shop's own references."""

from hashlib import blake2b, md5, sha1, sha256
from pathlib import Path
from typing import Any

import httpx

from tests.api.served import Service, service
from tests.api.shops import Shop, gift, reversal, shop_in
from tests.api.stored import every_byte, gifts, stored
from tests.ledger.processes import eventually

DONATIONS = "/api/v1/donations"
SALE_REF = "FACTURE-4711-MARGUERITE"


def test_secrets_are_in_no_table_no_log_and_no_public_answer(conninfo: str, tmp_path: Path) -> None:
    with service(tmp_path / "home", DATABASE_URL=conninfo) as running:
        shop = shop_in(conninfo)
        with httpx.Client(base_url=running.url, timeout=60) as client:
            codes = [record(client, shop, sale_ref=SALE_REF) for _ in range(3)]
            ask_in_every_way(client, shop, codes[0])
            public = public_answers(client, shop, conninfo)
        secrets = [shop.key, SALE_REF, *plain_hashes(SALE_REF)]
        secrets += [written for code in codes for written in (code, code.replace("-", ""))]
        places = {"a public answer": public, "a table": every_byte(conninfo), "the log": b""}
        places["the log"] = stopped(running)
    assert b"DonationRecorded" in places["a table"]
    found = [
        f"{secret} is in {place}"
        for place, content in places.items()
        for secret in secrets
        if secret.encode().lower() in content.lower()
    ]
    assert found == []


def stopped(running: Service) -> bytes:
    assert running.stop() == 0
    return running.log.read_bytes()


def plain_hashes(text: str) -> list[str]:
    """What anybody who guesses the text could find it by."""
    plain = (sha256, sha1, md5, blake2b)
    return [made(text.encode()).hexdigest() for made in plain]


def record(client: httpx.Client, shop: Shop, **changes: Any) -> str:
    answer = client.post(DONATIONS, json=gift(**changes), headers=shop.bearer)
    assert answer.status_code == 201
    code: str = answer.json()["code"]
    return code


def ask_in_every_way(client: httpx.Client, shop: Shop, code: str) -> None:
    """Bring the secrets wherever a client may put them, rightly and by mistake."""
    assert client.get(f"/g/{code}").status_code == 200
    assert client.get(f"/g/{code.lower().replace('-', '')}").status_code == 200
    assert client.get(f"/g/{code[:-1]}9/x").status_code == 404
    assert client.get("/g", params={"code": code}).status_code == 303
    assert client.post("/g", data={"code": code}).status_code == 303
    client.get(f"/api/v1/partners/{code}")
    client.get(f"/api/v1/journal?before={code}")
    client.get(f"/{code}")
    client.request("BREW", f"/g/{code}")
    client.post(DONATIONS, json=gift(ask_id=code, source=SALE_REF), headers=shop.bearer)
    client.post(DONATIONS, content=f"{code} {SALE_REF}", headers=shop.bearer)
    client.post(f"{DONATIONS}/{code}/reversals", json=reversal(), headers=shop.bearer)
    client.post(DONATIONS, json=gift(), headers={"Authorization": f"Bearer {shop.key}{code}"})
    client.post("/till/key", data={"key": shop.key})
    client.post(DONATIONS, json=gift(donation_id=None), headers=shop.bearer | {"X": code})


def public_answers(client: httpx.Client, shop: Shop, conninfo: str) -> bytes:
    """Read everything that asks for no key, once it holds every event."""
    newest = stored(conninfo)[-1].position
    eventually(lambda: client.get("/api/v1/figures").json()["as_of_position"] == newest)
    assert len(gifts(conninfo)) == 3
    twins = ("figures", "partners", f"partners/{shop.partner_id}", "journal?limit=1000")
    paths = [f"/api/v1/{twin}" for twin in twins] + ["/healthz", "/openapi.json", "/accessibility"]
    for language in ("fr", "en"):
        pages = ("/", "/partners", f"/partners/{shop.partner_id}", "/journal", "/g", "/till")
        paths += [f"{page}?lang={language}" for page in pages]
    answers = [client.get(path) for path in paths]
    assert {answer.status_code for answer in answers} == {200}
    return b"".join(answer.content for answer in answers)
