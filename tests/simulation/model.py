"""The second model: what a village's ledger must say, in plain dictionaries and loops."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")
Sums = dict[str, int]
WHOSE = {"partner_id", "donation_id"}
Outcome = str  # `done`, `repeated`, or the name of the refusal.


def day_of(moment: datetime) -> date:
    return moment.astimezone(PARIS).date()


class Paper(NamedTuple):
    """An agreement's number and id, an application's id and its days."""

    number: str
    agreement_id: UUID
    case_id: UUID
    applied_on: date
    decided_on: date


@dataclass(slots=True)
class Village:
    """Everything that was done, as the model understands it."""

    partners: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    tills: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    gifts: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    journal: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def note(self, kind: str, **public: Any) -> Outcome:
        self.journal.append((kind, {name: plain(value) for name, value in public.items()}))
        return "done"

    def note_figure(self, kind: str, *, of: UUID, **public: Any) -> Outcome:
        """Note what is told of a shop's figures: whose it is only while the shop agrees to it."""
        if not self.partners[of]["publishes"]:
            public = {name: value for name, value in public.items() if name not in WHOSE}
        return self.note(kind, **public)

    def register(self, partner_id: UUID, name: str, siret: str, at: datetime) -> Outcome:
        known = self.partners.get(partner_id)
        if known is not None:
            same = (known["name"], known["siret"]) == (name, siret)
            return "repeated" if same else "PartnerDiffers"
        self.partners[partner_id] = {
            "name": name,
            "siret": siret,
            "on": day_of(at),
            "certified": None,
            "agreed": None,
            "suspended": [],
            "publishes": False,
        }
        return self.note("PartnerRegistered", partner_id=partner_id, name=name, siret=siret)

    def recognise(self, partner_id: UUID, paper: Paper, first: date, last: date | None) -> Outcome:
        """Certify a partner from a day on, for three years, and sign an agreement with it."""
        partner = self.partners[partner_id]
        if partner["agreed"] is not None:
            return "repeated"
        begins = max(first, paper.decided_on)
        ends = begins.replace(year=begins.year + 3) - timedelta(days=1)
        partner["agreed"], partner["certified"] = (first, last), (begins, ends)
        partner["decided"] = paper.decided_on
        whose = {"partner_id": partner_id}
        partner["publishes"] = True
        self.note("PublicationConsented", **whose)
        self.note(
            "AgreementSigned",
            agreement_id=paper.agreement_id,
            number=paper.number,
            regime="mandate",
            commitment="round_up",
            basis_points=None,
            cents_per_item=None,
            charter_version=1,
            signed_on=min(paper.applied_on, first),
            valid_from=first,
            valid_until=last,
            **whose,
        )
        self.note("ApplicationFiled", application_id=paper.case_id, renewal=False, **whose)
        self.note("ReviewRecorded", application_id=paper.case_id, checklist_version=1, **whose)
        self.note("DecisionProposed", case_id=paper.case_id, **whose)
        given = {"valid_from": begins, "valid_until": ends}
        return self.note("CertificationGranted", case_id=paper.case_id, **given, **whose)

    def consent(self, partner_id: UUID, *, given: bool) -> Outcome:
        partner = self.partners.get(partner_id)
        if partner is None:
            return "PartnerNotRegistered"
        if partner["publishes"] == given:
            return "repeated"
        partner["publishes"] = given
        kind = "PublicationConsented" if given else "PublicationConsentWithdrawn"
        return self.note(kind, partner_id=partner_id)

    def suspend(self, partner_id: UUID, case_id: UUID, today: date) -> Outcome:
        partner = self.partners.get(partner_id)
        if partner is None:
            return "NotCertified"
        partner["suspended"].append([today, None])
        self.note("DecisionProposed", partner_id=partner_id, case_id=case_id)
        return self.note(
            "CertificationSuspended",
            partner_id=partner_id,
            case_id=case_id,
            reason="gifts_withheld",
            suspended_from=today,
            suspended_until=None,
        )

    def reinstate(self, partner_id: UUID, case_id: UUID, today: date) -> Outcome:
        partner = self.partners.get(partner_id)
        going_on = [one for one in partner["suspended"] if one[1] is None] if partner else []
        if not going_on:
            return "NothingToReinstate"
        for one in going_on:
            one[1] = today - timedelta(days=1)
        case = {"partner_id": partner_id, "case_id": case_id}
        self.note("DecisionProposed", **case)
        return self.note("CertificationReinstated", reinstated_on=today, **case)

    def status(self, partner_id: UUID, on: date) -> str:
        partner = self.partners[partner_id]
        if on < partner["on"] or on < partner["decided"]:
            return "registered"
        first, last = partner["agreed"]
        if on < partner["certified"][0]:
            return "candidate"
        if any(a <= on and (b is None or on <= b) for a, b in partner["suspended"]):
            return "suspended"
        if on < first:
            return "registered"
        return "lapsed" if last is not None and on > last else "active"

    def valid_until(self, partner_id: UUID, on: date) -> date | None:
        """Give the last day of an active or a lapsed partner."""
        _, last = self.partners[partner_id]["agreed"]
        ends: date = self.partners[partner_id]["certified"][1]
        known = {"active": min(last or ends, ends), "lapsed": last}
        return known.get(self.status(partner_id, on))

    def enrol(self, till_id: UUID, partner_id: UUID, key: str) -> Outcome:
        self.tills[till_id] = {"partner_id": partner_id, "key": key}
        return self.note("TillEnrolled", partner_id=partner_id, till_id=till_id)

    def rotate(self, till_id: UUID, key: str) -> Outcome:
        till = self.tills[till_id]
        if till["key"] is None:
            return "TillIsRevoked"
        till["key"] = key
        return self.note("TillKeyRotated", partner_id=till["partner_id"], till_id=till_id)

    def revoke(self, till_id: UUID) -> Outcome:
        till = self.tills[till_id]
        if till["key"] is None:
            return "repeated"
        till["key"] = None
        return self.note("TillRevoked", partner_id=till["partner_id"], till_id=till_id)

    def give(self, sent: dict[str, Any], at: datetime) -> Outcome:
        """Take a gift as a till sends it."""
        known = self.gifts.get(sent["donation_id"])
        if known is not None:
            return "repeated" if known["sent"] == sent else "DonationDiffers"
        if sent["occurred_at"] - at > timedelta(minutes=10):
            return "OccurredInFuture"
        self.gifts[sent["donation_id"]] = {
            "sent": sent,
            "on": day_of(sent["occurred_at"]),
            "flags": self.flags(sent, at),
            "reversals": {},
        }
        return self.note_figure(
            "DonationRecorded",
            of=sent["partner_id"],
            donation_id=sent["donation_id"],
            partner_id=sent["partner_id"],
            source=sent["source"],
            amount_cents=sent["amount_cents"],
            occurred_on=day_of(sent["occurred_at"]),
        )

    def flags(self, sent: dict[str, Any], at: datetime) -> list[str]:
        purchase = sent["purchase_cents"]
        status = self.status(sent["partner_id"], day_of(sent["occurred_at"]))
        deserves = {
            "late": at - sent["occurred_at"] > timedelta(days=30),
            "partner_not_active": status != "active",
            "large_amount": sent["amount_cents"] > 50_000,
            "exceeds_purchase": purchase is not None and sent["amount_cents"] > purchase,
        }
        return [name for name, deserved in deserves.items() if deserved]

    def give_back(self, sent: dict[str, Any], at: datetime) -> Outcome:
        """Take a reversal as a till sends it."""
        gift = self.gifts.get(sent["donation_id"])
        if gift is None or gift["sent"]["partner_id"] != sent["partner_id"]:
            return "DonationNotFound"
        said = {"amount_cents": sent["amount_cents"], "reason": sent["reason"]}
        known = gift["reversals"].get(sent["reversal_id"])
        if known is not None:
            return "repeated" if known["said"] == said else "ReversalDiffers"
        back = sum(one["said"]["amount_cents"] for one in gift["reversals"].values())
        if back + sent["amount_cents"] > gift["sent"]["amount_cents"]:
            return "ReversalExceedsGift"
        gift["reversals"][sent["reversal_id"]] = {"said": said, "on": day_of(at)}
        return self.note_figure(
            "DonationReversed",
            of=sent["partner_id"],
            donation_id=sent["donation_id"],
            partner_id=sent["partner_id"],
            source=gift["sent"]["source"],
            amount_cents=sent["amount_cents"],
            reason=sent["reason"],
            reversed_on=day_of(at),
        )

    def figures(self, partner_id: UUID | None = None) -> dict[str, Sums]:
        """Add everything up: in all, by source, and by month."""
        sums: dict[str, Sums] = {}

        def add(keys: tuple[str, ...], count: str, cents: str, amount: int) -> None:
            for key in keys:
                row = sums.setdefault(key, {"gifts": 0, "given": 0, "reversals": 0, "back": 0})
                row[count] += 1
                row[cents] += amount

        for gift in self.gifts.values():
            sent = gift["sent"]
            if partner_id not in {None, sent["partner_id"]}:
                continue
            everywhere = ("all", sent["source"])
            add((*everywhere, str(gift["on"])[:7]), "gifts", "given", sent["amount_cents"])
            for back in gift["reversals"].values():
                amount = back["said"]["amount_cents"]
                add((*everywhere, str(back["on"])[:7]), "reversals", "back", amount)
        return sums


def plain(value: Any) -> Any:
    return str(value) if isinstance(value, UUID | date) else value
