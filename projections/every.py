"""All the read models, by name."""

from projections.ambassadors import ambassadors
from projections.badges import badges
from projections.balances import balances
from projections.bank import bank
from projections.cases import cases
from projections.dues import dues
from projections.gaps import gaps
from projections.ideas import ideas
from projections.journal import journal
from projections.paper_ballots import paper_ballots
from projections.partners import partners
from projections.payments import payments
from projections.payouts import payouts
from projections.pledges import pledges
from projections.projects import projects
from projections.read_model import ReadModel
from projections.remittances import remittances
from projections.rounds import rounds
from projections.standings import standings
from projections.statements import statements
from projections.tills import tills
from projections.turnout import turnout
from projections.wallets import wallets

READ_MODELS: dict[str, ReadModel] = {
    model.name: model
    for model in (
        balances,
        partners,
        standings,
        badges,
        cases,
        tills,
        gaps,
        ideas,
        projects,
        ambassadors,
        rounds,
        turnout,
        paper_ballots,
        wallets,
        dues,
        statements,
        remittances,
        pledges,
        bank,
        payments,
        payouts,
        journal,
    )
}
