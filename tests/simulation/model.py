"""The second model: what a village's ledger must say, in plain dictionaries and loops."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")
Sums = dict[str, int]
Outcome = str  # `done`, `repeated`, or the name of the refusal.


def day_of(moment: datetime) -> date:
    return moment.astimezone(PARIS).date()


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

    def register(self, partner_id: UUID, name: str, siret: str, at: datetime) -> Outcome:
        known = self.partners.get(partner_id)
        if known is not None:
            same = (known["name"], known["siret"]) == (name, siret)
            return "repeated" if same else "PartnerDiffers"
        self.partners[partner_id] = {
            "name": name,
            "siret": siret,
            "on": day_of(at),
            "state": "registered",
            "from": None,
            "until": None,
            "reason": None,
        }
        return self.note("PartnerRegistered", partner_id=partner_id, name=name, siret=siret)

    def activate(self, partner_id: UUID, first: date, last: date | None) -> Outcome:
        if last is not None and last < first:
            return "ValidityReversed"
        partner = self.partners.get(partner_id)
        if partner is None:
            return "PartnerNotRegistered"
        now = ("active", first, last)
        if (partner["state"], partner["from"], partner["until"]) == now:
            return "repeated"
        partner["state"], partner["from"], partner["until"] = now
        return self.note(
            "PartnerActivated", partner_id=partner_id, valid_from=first, valid_until=last
        )

    def suspend(self, partner_id: UUID, reason: str) -> Outcome:
        partner = self.partners.get(partner_id)
        if partner is None:
            return "PartnerNotRegistered"
        if partner["state"] == "registered":
            return "PartnerNotActive"
        if partner["state"] == "suspended" and partner["reason"] == reason:
            return "repeated"
        partner["state"], partner["reason"] = "suspended", reason
        return self.note("PartnerSuspended", partner_id=partner_id)

    def status(self, partner_id: UUID, on: date) -> str:
        partner = self.partners[partner_id]
        state: str = partner["state"]
        if state != "active":
            return state
        if on < partner["from"]:
            return "registered"
        return "lapsed" if partner["until"] is not None and on > partner["until"] else "active"

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
        return self.note(
            "DonationRecorded",
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
        return self.note(
            "DonationReversed",
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
