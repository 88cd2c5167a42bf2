"""All the read models, by name."""

from projections.badges import badges
from projections.balances import balances
from projections.cases import cases
from projections.gaps import gaps
from projections.journal import journal
from projections.partners import partners
from projections.read_model import ReadModel
from projections.standings import standings
from projections.tills import tills

READ_MODELS: dict[str, ReadModel] = {
    model.name: model
    for model in (balances, partners, standings, badges, cases, tills, gaps, journal)
}
