"""The forms of values that ideas and projects share. What people write is kept outside the events.

A text is named by its SHA-256: its words are in the durable table `wording`, where they can be
withheld for good when they tell too much of a person, while the events stay.
"""

from typing import Annotated, Literal, get_args

from pydantic import Field

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Key = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
Theme = Literal[
    "water", "nature", "culture", "mobility", "youth", "solidarity", "heritage", "sport"
]
THEMES: tuple[Theme, ...] = get_args(Theme)
