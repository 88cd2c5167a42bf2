"""A monthly gift: it goes on until it ends. Each month that is paid is a payment of its own."""

from dataclasses import dataclass

from ledger.decider import Decider
from ledger.payments.commands import ObserveSubscription
from ledger.payments.events import SubscriptionEnded


@dataclass(frozen=True, slots=True)
class Going:
    pass


@dataclass(frozen=True, slots=True)
class Ended:
    pass


Subscription = Going | Ended


def evolve(_: Subscription, __: SubscriptionEnded) -> Subscription:
    return Ended()


def decide(command: ObserveSubscription, subscription: Subscription) -> list[SubscriptionEnded]:
    if command.seen.ended_on is None or isinstance(subscription, Ended):
        return []
    return [
        SubscriptionEnded(
            recorded_at=command.at,
            actor=command.actor,
            subscription_id=command.seen.subscription_id,
            ended_on=command.seen.ended_on,
        )
    ]


subscription: Decider[ObserveSubscription, Subscription, SubscriptionEnded] = Decider(
    category="subscription", initial=Going(), decide=decide, evolve=evolve
)
