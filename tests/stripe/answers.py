"""How Stripe answers what is read: pages of lists, filters, and fields expanded where asked for."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from fnmatch import fnmatchcase
from typing import Any

from tests.stripe.account import Account, Object
from tests.stripe.requests import Invalid, Refused

PAGING = ("limit", "starting_after", "ending_before", "expand")
LIMIT, LIMIT_MAX = 10, 100
EXPAND_DEPTH_MAX = 4

Filter = Callable[[Account, Object, Any], bool]


def within(_: Account, one: Object, asked: Any) -> bool:
    if isinstance(asked, int):
        return bool(one["created"] == asked)
    tests = {
        "gt": one["created"].__gt__,
        "gte": one["created"].__ge__,
        "lt": one["created"].__lt__,
        "lte": one["created"].__le__,
    }
    return all(bool(tests[name](bound)) for name, bound in asked.items())


def any_type(_: Account, one: Object, asked: Any) -> bool:
    patterns = [asked] if isinstance(asked, str) else asked
    return any(fnmatchcase(one["type"], pattern) for pattern in patterns)


def in_payout(account: Account, one: Object, asked: Any) -> bool:
    return account.paid_by.get(one["id"]) == str(asked)


def of_payment(_: Account, one: Object, asked: Any) -> bool:
    return all(one["payment"].get(name) == value for name, value in asked.items())


# Filters that are not the equality of a field.
FILTERS: dict[tuple[str, str], Filter] = {
    ("event", "type"): any_type,
    ("event", "types"): any_type,
    ("balance_transaction", "payout"): in_payout,
    ("invoice_payment", "payment"): of_payment,
}


def listed(account: Account, kind: str, url: str, asked: dict[str, Any]) -> Object:
    """Give one page, the newest first, as Stripe pages its lists."""
    found = [one for one in account.all(kind) if matches(account, kind, one, asked)]
    limit = asked.get("limit", LIMIT)
    if not 1 <= limit <= LIMIT_MAX:
        raise Invalid("This value must be between 1 and 100.", param="limit")
    found = after(account, kind, found, asked)
    page = found[-limit:] if "ending_before" in asked else found[:limit]
    return {"object": "list", "url": url, "has_more": len(found) > limit, "data": page}


def after(account: Account, kind: str, found: list[Object], asked: dict[str, Any]) -> list[Object]:
    if "starting_after" in asked:
        place = account.get(kind, asked["starting_after"], "starting_after")
        older = set(map(id, found_after(account, kind, place)))
        return [one for one in found if id(one) in older]
    if "ending_before" in asked:
        place = account.get(kind, asked["ending_before"], "ending_before")
        older = set(map(id, found_after(account, kind, place)))
        return [one for one in found if id(one) not in older and one is not place]
    return found


def found_after(account: Account, kind: str, place: Object) -> Iterator[Object]:
    every = account.all(kind)
    for one in every:
        if one is place:
            break
    return every


def matches(account: Account, kind: str, one: Object, asked: dict[str, Any]) -> bool:
    for name, value in asked.items():
        if name in PAGING:
            continue
        test = within if name == "created" else FILTERS.get((kind, name))
        if test is None:
            properties = account.described.schemas[kind]["properties"]
            assert name in properties, f"the double cannot filter {kind} by {name}"
            if one.get(name) != value:
                return False
        elif not test(account, one, value):
            return False
    return True


def charge_refunds(account: Account, taken: Object) -> list[Object]:
    return [one for one in account.all("refund") if one["charge"] == taken["id"]]


def invoice_payments(account: Account, invoice: Object) -> list[Object]:
    return [one for one in account.all("invoice_payment") if one["invoice"] == invoice["id"]]


def kept_lines(account: Account, one: Object) -> list[Object]:
    lines: list[Object] = account.kept[one["id"]]["lines"]
    return lines


# Lists that an object has only where they are asked for.
INCLUDED: dict[tuple[str, str], tuple[str, Callable[[Account, Object], list[Object]]]] = {
    ("charge", "refunds"): ("/v1/charges/{id}/refunds", charge_refunds),
    ("invoice", "payments"): ("/v1/invoice_payments", invoice_payments),
    ("checkout.session", "line_items"): ("/v1/checkout/sessions/{id}/line_items", kept_lines),
    ("payment_link", "line_items"): ("/v1/payment_links/{id}/line_items", kept_lines),
}


def expanded(account: Account, answer: Object, paths: list[str]) -> Object:
    """Give a copy in which the asked fields hold objects instead of their ids."""
    answer = deepcopy(answer)
    for path in paths:
        steps = path.split(".")
        if len(steps) > EXPAND_DEPTH_MAX:
            message = f"You can only expand {EXPAND_DEPTH_MAX} levels of a property"
            raise Invalid(message, code="property_expansion_max_depth", param="expand")
        expand(account, answer, steps, path)
    return answer


def expand(account: Account, place: Any, steps: list[str], path: str) -> None:
    if place is None or not steps:
        return
    if isinstance(place, list):
        for one in place:
            expand(account, one, steps, path)
        return
    name, rest = steps[0], steps[1:]
    source = INCLUDED.get((place.get("object", ""), name))
    if source is not None:
        url, find = source
        found = [deepcopy(one) for one in find(account, place)]
        url = url.format(id=place["id"])
        place[name] = {"object": "list", "url": url, "has_more": False, "data": found}
    elif name not in place and not may_have(account, place, name):
        message = f"This property cannot be expanded ({path})."
        raise Invalid(message, code="property_expansion_failed", param="expand")
    elif isinstance(place.get(name), str):
        object_id = place[name]
        if object_id not in account.objects:
            message = f"This property cannot be expanded ({path})."
            raise Invalid(message, code="property_expansion_failed", param="expand")
        place[name] = deepcopy(account.objects[object_id])
    expand(account, place.get(name), rest, path)


def may_have(account: Account, place: Object, name: str) -> bool:
    """Tell whether a field is known that this object does not have now."""
    schema = account.described.schemas.get(place.get("object", ""), {})
    return name in schema.get("properties", {}) or "object" not in place


def read(account: Account, kind: str, object_id: str) -> Object:
    one = account.get(kind, object_id)
    if one.get("deleted"):
        raise Refused(f"No such {kind}: '{object_id}'", status=404, code="resource_missing")
    return one
