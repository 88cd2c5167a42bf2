"""All the read models, by name."""

from projections.balances import balances
from projections.journal import journal
from projections.partners import partners
from projections.read_model import ReadModel

READ_MODELS: dict[str, ReadModel] = {model.name: model for model in (balances, partners, journal)}
