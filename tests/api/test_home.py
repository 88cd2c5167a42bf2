"""What the service keeps beside the database is what its operator is told to back up."""

from api.evidence import keep
from api.people import send_link
from tests.api.people import person
from tests.api.served import Served
from tests.architecture.house import ROOT


def test_operations_names_all_that_stands_in_the_home(served: Served) -> None:
    home = served.context.settings.home
    keep(home, b"%PDF-1.7 la charte")
    send_link(served.context, person(served, "officer").account_id, enrolment=True)
    served.client.get("/.well-known/did.json")
    kept = {path.name for path in home.iterdir()} - {"keys"}
    kept |= {f"keys/{path.name}" for path in (home / "keys").iterdir()}
    assert {"files", "mail", "keys/vault.key", "keys/badge.key", "keys/tickets.key"} <= kept
    operations = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert [name for name in kept if f"`DONPOSITIF_HOME/{name}`" not in operations] == []
    for secret in ("`/g/`", "`/account/link/`"):
        assert secret in operations
