"""Words that several slices share: who gives, and whose the money is until it is handed over."""

from typing import Literal, get_args

Source = Literal["customer", "shop", "match"]
SOURCES: tuple[Source, ...] = get_args(Source)

Regime = Literal["mandate", "named_beneficiary", "own_name", "own_money"]
REGIMES: tuple[Regime, ...] = get_args(Regime)
