"""The foundation on the command line: it says its name, and never an account."""

from tests.api.cli.outcomes import Run, assert_refused

DESCRIBE = ("foundation", "describe", "--name", "Fondation du bassin", "--siret")


def test_it_says_its_name(run: Run) -> None:
    assert run("foundation", "show", "--json").facts["name"] is None
    assert "no name yet" in run("foundation", "show").out
    for _ in range(2):
        assert run(*DESCRIBE, "732 829 320 00074").code == 0
    shown = run("foundation", "show", "--json").facts
    assert (shown["name"], shown["siret"]) == ("Fondation du bassin", "73282932000074")
    assert (shown["account"], shown["account_proposed"]) == (None, False)
    assert shown["terms"]["period"] == "month"
    assert shown["card_fee"]["rate_per_10_000"] == 150
    assert "1.5% of it and €0.25" in run("foundation", "show").out
    assert "Fondation du bassin, SIRET 73282932000074" in run("foundation", "show").out


def test_it_needs_a_siret(run: Run) -> None:
    assert_refused(run(*DESCRIBE, "73282932000075"), "SIRET")
