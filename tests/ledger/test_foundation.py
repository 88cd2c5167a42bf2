from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from ledger.actors import ActorWithoutAccount
from ledger.foundation import (
    DEFAULT_TERMS,
    AccountInForce,
    AnotherAccountProposed,
    ApproveCollectionAccount,
    CollectionAccountApproved,
    CollectionAccountDiscarded,
    CollectionAccountProposed,
    DescribeFoundation,
    DiscardCollectionAccount,
    FoundationCommand,
    FoundationDescribed,
    ProposalClosed,
    ProposalDiffers,
    ProposalNotFound,
    ProposeCollectionAccount,
    ProposedAccountDiffers,
    ProposerApproves,
    ProposerIsDisabled,
    SetSettlementTerms,
    SettlementTerms,
    SettlementTermsSet,
    TermsInPast,
    account_id_of,
    foundation,
)
from tests.spec import given

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TODAY = date(2026, 11, 23)
ANNE, BRUNO = f"account:{UUID(int=1)}", f"account:{UUID(int=2)}"
FIRST, SECOND = UUID(int=11), UUID(int=12)
IBAN, OTHER_IBAN = "FR7630006000011234567890189", "DE89370400440532013000"
AT_NOON: dict[str, Any] = {"at": NOON}
BY_ANNE: dict[str, Any] = {"actor": ANNE, "proposal_id": FIRST}
BY_BRUNO: dict[str, Any] = {"actor": BRUNO, "proposal_id": FIRST}
ACCOUNT: dict[str, Any] = {"iban": IBAN, "bic": "AGRIFRPP", "holder": "Fondation du bassin"}


def propose(**changes: Any) -> ProposeCollectionAccount:
    return ProposeCollectionAccount(**AT_NOON | BY_ANNE | ACCOUNT | changes)


def approve(**changes: Any) -> ApproveCollectionAccount:
    return ApproveCollectionAccount(**AT_NOON | {"iban": IBAN} | BY_BRUNO | changes)


def discard(**changes: Any) -> DiscardCollectionAccount:
    return DiscardCollectionAccount(**AT_NOON | BY_BRUNO | changes)


def terms(**changes: Any) -> SettlementTerms:
    return DEFAULT_TERMS.model_copy(update={"in_force_from": TODAY, "period": "week"} | changes)


def set_terms(wanted: SettlementTerms) -> SetSettlementTerms:
    return SetSettlementTerms(at=NOON, actor=ANNE, terms=wanted)


def terms_set(wanted: SettlementTerms) -> SettlementTermsSet:
    return SettlementTermsSet(recorded_at=NOON, actor=ANNE, terms=wanted)


DESCRIBED = FoundationDescribed(
    recorded_at=NOON, actor="console:root", name="Fondation du bassin", siret="73282932000074"
)
PROPOSED = CollectionAccountProposed(recorded_at=NOON, **BY_ANNE, **ACCOUNT)
APPROVED = CollectionAccountApproved(
    recorded_at=NOON, **BY_BRUNO, **ACCOUNT, account_id=account_id_of(IBAN)
)
DISCARDED = CollectionAccountDiscarded(recorded_at=NOON, **BY_BRUNO)


class TestDescription:
    @staticmethod
    def describe(**changes: Any) -> DescribeFoundation:
        told = {"name": DESCRIBED.name, "siret": DESCRIBED.siret}
        return DescribeFoundation(**AT_NOON | {"actor": "console:root"} | told | changes)

    def test_it_is_described(self) -> None:
        given(foundation).when(self.describe()).then(DESCRIBED)

    def test_it_is_described_anew(self) -> None:
        renamed = DESCRIBED.model_copy(update={"name": "Fondation positive"})
        given(foundation, DESCRIBED).when(self.describe(name="Fondation positive")).then(renamed)

    def test_the_same_again_is_a_repeat(self) -> None:
        given(foundation, DESCRIBED).when(self.describe()).then()

    @pytest.mark.parametrize("siret", ["73282932000075", "732829320", "", "7328293200007X"])
    def test_a_wrong_siret_is_no_command(self, siret: str) -> None:
        with pytest.raises(ValidationError):
            self.describe(siret=siret)


class TestNothingProposed:
    def test_an_account_is_proposed(self) -> None:
        given(foundation).when(propose()).then(PROPOSED)

    def test_an_iban_is_kept_without_spaces(self) -> None:
        spaced = propose(iban="fr76 3000 6000 0112 3456 7890 189", bic="agrifrpp")
        given(foundation).when(spaced).then(PROPOSED)

    @pytest.mark.parametrize(
        "changes",
        [
            {"iban": "FR7630006000011234567890188"},
            {"iban": ""},
            {"bic": "AGRI"},
            {"holder": ""},
            {"holder": "F" * 71},
            {"holder": "Fondation\nBIC"},
        ],
    )
    def test_what_no_bank_takes_is_no_command(self, changes: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            propose(**changes)

    @pytest.mark.parametrize("actor", ["console:root", "account:anne", f"{ANNE} "])
    def test_the_console_cannot_propose(self, actor: str) -> None:
        given(foundation).when(propose(actor=actor)).then_refused(ActorWithoutAccount, actor=actor)

    @pytest.mark.parametrize("command", [approve(), discard()])
    def test_there_is_nothing_to_decide(self, command: FoundationCommand) -> None:
        given(foundation).when(command).then_refused(ProposalNotFound, proposal_id=FIRST)


class TestProposed:
    def test_another_person_approves_it(self) -> None:
        given(foundation, PROPOSED).when(approve()).then(APPROVED)

    def test_whoever_proposed_it_does_not(self) -> None:
        own = approve(actor=ANNE)
        given(foundation, PROPOSED).when(own).then_refused(ProposerApproves, actor=ANNE)

    def test_nor_does_the_console(self) -> None:
        console = approve(actor="console:root")
        given(foundation, PROPOSED).when(console).then_refused(ActorWithoutAccount)

    def test_what_was_read_is_what_is_approved(self) -> None:
        misread = approve(iban=OTHER_IBAN)
        given(foundation, PROPOSED).when(misread).then_refused(ProposedAccountDiffers)

    def test_what_a_disabled_account_proposed_is_not_approved(self) -> None:
        after = approve(disabled=(ANNE,))
        given(foundation, PROPOSED).when(after).then_refused(ProposerIsDisabled)

    def test_anybody_discards_it(self) -> None:
        given(foundation, PROPOSED).when(discard()).then(DISCARDED)

    def test_even_who_proposed_it(self) -> None:
        own = DISCARDED.model_copy(update={"actor": ANNE})
        given(foundation, PROPOSED).when(discard(actor=ANNE)).then(own)

    def test_the_same_again_is_a_repeat(self) -> None:
        given(foundation, PROPOSED).when(propose()).then()

    def test_another_account_under_its_id_is_refused(self) -> None:
        given(foundation, PROPOSED).when(propose(iban=OTHER_IBAN)).then_refused(ProposalDiffers)

    def test_a_second_proposal_waits(self) -> None:
        second = propose(proposal_id=SECOND, iban=OTHER_IBAN)
        given(foundation, PROPOSED).when(second).then_refused(AnotherAccountProposed)


class TestApproved:
    HISTORY = (PROPOSED, APPROVED)

    @pytest.mark.parametrize("command", [propose(), discard()])
    def test_it_is_decided_upon(self, command: FoundationCommand) -> None:
        given(foundation, *self.HISTORY).when(command).then_refused(ProposalClosed)

    def test_approving_again_is_a_repeat(self) -> None:
        given(foundation, *self.HISTORY).when(approve()).then()

    def test_it_is_not_proposed_again(self) -> None:
        again = propose(proposal_id=SECOND)
        given(foundation, *self.HISTORY).when(again).then_refused(AccountInForce)

    def test_it_is_in_force(self) -> None:
        state = foundation.fold(self.HISTORY)
        assert state.account is not None
        assert (state.account.iban, state.account.account_id) == (IBAN, account_id_of(IBAN))

    def test_an_account_that_was_left_still_counts(self) -> None:
        moved = ACCOUNT | {"iban": OTHER_IBAN, "bic": None}
        ids: dict[str, Any] = {"proposal_id": SECOND, "recorded_at": NOON}
        other = account_id_of(OTHER_IBAN)
        state = foundation.fold(
            [
                *self.HISTORY,
                CollectionAccountProposed(actor=ANNE, **ids, **moved),
                CollectionAccountApproved(actor=BRUNO, account_id=other, **ids, **moved),
            ]
        )
        assert state.account is not None
        assert state.account.account_id == other
        assert state.account_ids == (account_id_of(IBAN), other)


class TestDiscarded:
    HISTORY = (PROPOSED, DISCARDED)

    @pytest.mark.parametrize("command", [propose(), approve()])
    def test_it_is_decided_upon(self, command: FoundationCommand) -> None:
        given(foundation, *self.HISTORY).when(command).then_refused(ProposalClosed)

    def test_discarding_again_is_a_repeat(self) -> None:
        given(foundation, *self.HISTORY).when(discard()).then()

    def test_the_same_account_may_be_proposed_again(self) -> None:
        again = PROPOSED.model_copy(update={"proposal_id": SECOND})
        given(foundation, *self.HISTORY).when(propose(proposal_id=SECOND)).then(again)

    def test_no_account_is_in_force(self) -> None:
        assert foundation.fold(self.HISTORY).account is None


class TestTerms:
    def test_terms_are_set(self) -> None:
        given(foundation).when(set_terms(terms())).then(terms_set(terms()))

    def test_the_same_again_is_a_repeat(self) -> None:
        given(foundation, terms_set(terms())).when(set_terms(terms())).then()

    def test_terms_never_start_in_the_past(self) -> None:
        late = terms(in_force_from=TODAY - timedelta(days=1))
        given(foundation).when(set_terms(late)).then_refused(TermsInPast)

    @pytest.mark.parametrize(
        "changes",
        [
            {"close_after_days": -1},
            {"close_after_days": 61},
            {"due_after_days": 181},
            {"owed_min_cents": -1},
            {"owed_min_cents": 100_001},
            {"public_after_days": 731},
            {"reminder_after_days": (7, 7)},
            {"reminder_after_days": (21, 7)},
            {"reminder_after_days": (0,)},
            {"reminder_after_days": (366,)},
            {"reminder_after_days": (1, 2, 3, 4, 5, 6)},
            {"in_force_from": date(1999, 12, 31)},
        ],
    )
    def test_a_typing_error_is_no_command(self, changes: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            set_terms(terms(**changes))

    def test_the_usual_ones_hold_until_the_first_day(self) -> None:
        state = foundation.fold([terms_set(terms())])
        assert state.terms_on(TODAY - timedelta(days=1)) == DEFAULT_TERMS
        assert state.terms_on(TODAY) == terms()

    def test_what_was_set_last_for_a_day_holds(self) -> None:
        state = foundation.fold([terms_set(terms()), terms_set(terms(period="quarter"))])
        assert state.terms_on(TODAY).period == "quarter"

    def test_terms_of_later_are_not_undone_by_those_before(self) -> None:
        later = terms(in_force_from=TODAY + timedelta(days=30), period="quarter")
        state = foundation.fold([terms_set(later), terms_set(terms())])
        assert state.terms_on(TODAY + timedelta(days=29)).period == "week"
        assert state.terms_on(TODAY + timedelta(days=30)).period == "quarter"
