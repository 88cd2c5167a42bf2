from pathlib import Path

import grimp
import pytest

from tests.architecture.house import ROOMS, SLICES, is_pure

OUTSIDE = ("eventsourcing", "fastapi", "psycopg", "psycopg_pool", "starlette", "stripe", "uvicorn")
ONLY_IN = {
    "eventsourcing": {
        "ledger.committer",
        "ledger.recorder",
        "ledger.store",
        "projections.follow",
        "projections.read_model",
    },
    "stripe": {"ledger.stripe_gateway"},
}


def graph_of(*packages: str) -> grimp.ImportGraph:
    return grimp.build_graph(*packages, include_external_packages=True, cache_dir=None)


def breaches(graph: grimp.ImportGraph, inside: str = "") -> list[str]:
    """Every breach of the import rules, for a house whose rooms are `inside` a package."""
    return sorted(
        upward(graph, inside)
        | impure(graph, inside)
        | between_slices(graph, inside)
        | out_of_place(graph, inside)
    )


def chains(graph: grimp.ImportGraph, importer: str, imported: str) -> set[str]:
    if not {importer, imported} <= graph.modules:
        return set()
    found = graph.find_shortest_chains(importer=importer, imported=imported)
    return {" -> ".join(chain) for chain in found}


def upward(graph: grimp.ImportGraph, inside: str) -> set[str]:
    return {
        chain
        for floor, lower in enumerate(ROOMS)
        for upper in ROOMS[floor + 1 :]
        for chain in chains(graph, inside + lower, inside + upper)
    }


def impure(graph: grimp.ImportGraph, inside: str) -> set[str]:
    pure = [name for name in graph.modules if is_pure(name.removeprefix(inside))]
    found: set[str] = set()
    for name in pure:
        for outside in OUTSIDE:
            if outside in graph.modules and graph.chain_exists(importer=name, imported=outside):
                chain = graph.find_shortest_chain(importer=name, imported=outside) or ()
                found.add(" -> ".join(chain))
    return found


def between_slices(graph: grimp.ImportGraph, inside: str) -> set[str]:
    return {
        chain
        for one in SLICES
        for other in SLICES - {one}
        for chain in chains(graph, inside + one, inside + other)
    }


def out_of_place(graph: grimp.ImportGraph, inside: str) -> set[str]:
    return {
        f"{importer} -> {outside}"
        for outside, places in ONLY_IN.items()
        if outside in graph.modules
        for importer in graph.find_modules_that_directly_import(outside)
        if importer.removeprefix(inside) not in places
    }


def test_the_house_keeps_its_import_rules() -> None:
    assert breaches(graph_of(*ROOMS)) == []


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small house that keeps the rules, in the package `hamlet`."""
    folder = tmp_path_factory.mktemp("made_up")
    write(folder, "hamlet/__init__.py", "")
    for room in ROOMS:
        write(folder, f"hamlet/{room}/__init__.py", "")
    write(folder, "hamlet/ledger/money.py", "import decimal")
    write(folder, "hamlet/ledger/partners.py", "from hamlet.ledger import money")
    write(folder, "hamlet/ledger/donations.py", "from hamlet.ledger import money")
    write(folder, "hamlet/ledger/store.py", "import psycopg, eventsourcing.persistence")
    write(folder, "hamlet/projections/balances.py", "import psycopg\nimport hamlet.ledger.store")
    write(folder, "hamlet/api/app.py", "import fastapi\nfrom hamlet.projections import balances")
    return folder


def write(folder: Path, name: str, source: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)


def test_a_house_that_keeps_the_rules_is_left_alone(
    made_up: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(made_up))
    assert breaches(graph_of("hamlet"), "hamlet.") == []


@pytest.mark.parametrize(
    ("where", "line"),
    [
        ("ledger/partners.py", "from hamlet.projections import balances"),
        ("ledger/store.py", "from hamlet.api import app"),
        ("projections/balances.py", "from hamlet.api.app import *"),
        ("ledger/donations.py", "from hamlet.ledger import partners"),
        ("ledger/donations.py", "import psycopg"),
        ("ledger/donations.py", "def late():\n    import stripe"),
        ("ledger/donations.py", "from hamlet.ledger.store import append"),
        ("ledger/money.py", "from fastapi import Request"),
        ("ledger/rules/equal_shares.py", "import psycopg.rows"),
        ("ledger/store.py", "import stripe"),
        ("projections/balances.py", "from eventsourcing.persistence import Mapper"),
        ("api/app.py", "import eventsourcing"),
    ],
)
def test_a_forbidden_import_is_found(
    where: str, line: str, made_up: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made_up / "hamlet" / where
    before = path.read_text() if path.exists() else None
    write(made_up, f"hamlet/{where}", f"{before or ''}\n{line}")
    if path.parent.name == "rules":
        write(made_up, "hamlet/ledger/rules/__init__.py", "")
    monkeypatch.syspath_prepend(str(made_up))
    try:
        assert breaches(graph_of("hamlet"), "hamlet.") != []
    finally:
        path.unlink() if before is None else path.write_text(before)
