"""The double, and other people's programs that judge it: each missing one is said loudly."""

import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stripe

from tests.stripe.command_line import CommandLine
from tests.stripe.double import Double, doubled
from tests.stripe.second_opinion import PYTHON, Localstripe, localstripe_running

HERE = Path(__file__).parent
CLI = HERE / "node_modules/@stripe/cli-linux-x64/bin/stripe"
HAS_CLI = (sys.platform, platform.machine()) == ("linux", "x86_64")
RETRIES_MAX = 2


def no_cli() -> str | None:
    """Say what keeps Stripe's own command line from asking, None when it can."""
    if CLI.exists():
        return None
    if not HAS_CLI:
        return "it is pinned for Linux on x86-64 alone"
    return "it is missing: make install-node"


def no_localstripe() -> str | None:
    return None if PYTHON.exists() else "it is missing: make install-localstripe"


def no_test_key() -> str | None:
    """Only a key of test mode moves no money; the name of the variable says so too."""
    key = os.environ.get("STRIPE_TEST_KEY", "")
    if not key:
        return "STRIPE_TEST_KEY is not set"
    return None if "_test_" in key else "STRIPE_TEST_KEY is no key of test mode"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say loudly who else did not judge what we say of Stripe."""
    for name, reason in (
        ("STRIPE’S COMMAND LINE", no_cli()),
        ("LOCALSTRIPE", no_localstripe()),
        ("STRIPE’S TEST MODE", no_test_key()),
    ):
        if reason is not None:
            terminalreporter.write_sep("!", f"CARDS WERE NOT JUDGED BY {name}", red=True)
            terminalreporter.write_line(reason)


def skip_without(reason: str | None, required_by: str) -> None:
    if reason is not None:
        if os.environ.get(required_by) == "1":
            pytest.fail(f"{required_by}=1, and {reason}")
        pytest.skip(reason)


def skip_without_cli() -> None:
    """Skip, or fail where it is required and could be there."""
    skip_without(no_cli(), "DONPOSITIF_REQUIRE_NODE" if HAS_CLI else "")


@pytest.fixture
def double() -> Iterator[Double]:
    with doubled() as one:
        yield one


@pytest.fixture
def client(double: Double) -> stripe.StripeClient:
    """Stripe's own library, asking the double."""
    return stripe.StripeClient(
        double.account.secret_key,
        stripe_version=double.account.described.version,
        base_addresses={"api": double.url},
        max_network_retries=RETRIES_MAX,
    )


@pytest.fixture
def cli(double: Double, tmp_path: Path) -> CommandLine:
    """Stripe's own command line, asking the double."""
    skip_without_cli()
    return CommandLine(CLI, double, tmp_path)


@pytest.fixture(scope="session")
def localstripe() -> Iterator[Localstripe]:
    """Another double, by other people, in a process of its own."""
    skip_without(no_localstripe(), "DONPOSITIF_REQUIRE_LOCALSTRIPE")
    with localstripe_running() as running:
        yield running


@pytest.fixture
def test_key() -> str:
    """The key of a real account in test mode."""
    skip_without(no_test_key(), "DONPOSITIF_REQUIRE_STRIPE")
    return os.environ["STRIPE_TEST_KEY"]
