"""Which rooms the house has, and what may happen in them."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("ledger", "projections", "api")

SLICES = frozenset(
    {
        "ledger.ballots",
        "ledger.bank",
        "ledger.donations",
        "ledger.foundation",
        "ledger.grants",
        "ledger.partners",
        "ledger.payments",
        "ledger.people",
        "ledger.pledges",
        "ledger.projects",
        "ledger.remittances",
        "ledger.reports",
        "ledger.rounds",
        "ledger.settlements",
        "ledger.tills",
        "ledger.wallets",
    }
)

# Everything in the ledger is pure, except what is named here.
WITH_EFFECTS = frozenset(
    {
        "ledger.committer",
        "ledger.db",
        "ledger.embedded",
        "ledger.inbox",
        "ledger.keyring",
        "ledger.migrate",
        "ledger.recorder",
        "ledger.store",
        "ledger.stripe_gateway",
        "ledger.stripe_reading",
        "ledger.vault",
    }
)


def is_pure(module: str) -> bool:
    parts = module.split(".")
    return parts[0] == "ledger" and ".".join(parts[:2]) not in WITH_EFFECTS


def module_of(path: Path) -> str:
    """The dotted name of a file given relative to the root of the repository."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def repository_files() -> list[Path]:
    """What is or would be committed, relative to the root."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    paths = [Path(name) for name in listed.split("\0") if name]
    return sorted(path for path in set(paths) if (ROOT / path).is_file())


def python_files(*rooms: str) -> list[Path]:
    return [path for path in repository_files() if path.suffix == ".py" and path.parts[0] in rooms]
