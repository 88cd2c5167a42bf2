"""The asks: the exact words by which a gift is asked for, versioned, kept for ever.

A gift names the ask its giver was shown. Words of a released ask are never changed: a new wording
is a new version. `{amount}` stands for the gift and `{total}` for the sale with it, written as
the language writes money.
"""

from dataclasses import dataclass
from typing import Final, Literal

Choice = Literal["round_up", "add_on"]
AskLanguage = Literal["fr", "en"]


@dataclass(frozen=True, slots=True)
class Ask:
    """What one customer was asked: `wording` as the question, `cause` as what it is for."""

    choice: Choice
    language: AskLanguage
    version: int
    wording: str
    cause: str

    @property
    def ask_id(self) -> str:
        """Give the id that gifts carry, such as `round-up.fr.1`."""
        return f"{self.choice.replace('_', '-')}.{self.language}.{self.version}"


CAUSE_FR: Final = (
    "Votre don va aux projets des habitants de L’Isle-sur-la-Sorgue. "
    "Votre ticket montrera ce qu’il devient."
)
CAUSE_EN: Final = (
    "Your gift goes to the projects of the people of L’Isle-sur-la-Sorgue. "
    "Your ticket will show what becomes of it."
)

RELEASED: Final[tuple[Ask, ...]] = (
    Ask("round_up", "fr", 1, "Voulez-vous arrondir à {total}\N{NO-BREAK SPACE}?", CAUSE_FR),
    Ask("round_up", "en", 1, "Will you round up to {total}?", CAUSE_EN),
    Ask("add_on", "fr", 1, "Voulez-vous ajouter {amount}\N{NO-BREAK SPACE}?", CAUSE_FR),
    Ask("add_on", "en", 1, "Will you add {amount}?", CAUSE_EN),
)

ASKS: Final[dict[str, Ask]] = {one.ask_id: one for one in RELEASED}


def newest(choice: Choice, language: AskLanguage) -> Ask:
    """Give the wording in use for a choice in a language."""
    offered = (one for one in RELEASED if (one.choice, one.language) == (choice, language))
    return max(offered, key=lambda one: one.version)
