"""What is sold: products, prices, and the lines that name them."""

from typing import Any

from tests.stripe.account import Account, Object, act
from tests.stripe.requests import Refused


@act
def make_product(account: Account, told: dict[str, Any]) -> Object:
    product = account.add(
        "product", active=True, updated=account.now, **without(told, "default_price_data")
    )
    account.emit("product.created", product)
    return product


@act
def make_price(account: Account, told: dict[str, Any], *, listed: bool = True) -> Object:
    """Make a price; one that is made for a single session is not active."""
    product = told.get("product")
    if product is None:
        product = make_product(account, told["product_data"])["id"]
    account.get("product", product, "product")
    recurring = told.get("recurring")
    custom = told.get("custom_unit_amount")
    if (told.get("unit_amount") is None) == (custom is None):
        raise Refused("Exactly one of unit_amount and custom_unit_amount is needed.")
    price = account.add(
        "price",
        active=listed,
        billing_scheme="per_unit",
        currency=told["currency"],
        product=product,
        nickname=told.get("nickname"),
        metadata=told.get("metadata", {}),
        type="recurring" if recurring else "one_time",
        recurring=recurring
        and {"interval_count": 1, "usage_type": "licensed", "meter": None, **recurring},
        custom_unit_amount=custom
        and {"maximum": None, "minimum": None, "preset": None, **without(custom, "enabled")},
        unit_amount=told.get("unit_amount"),
    )
    if price["unit_amount"] is not None:
        price["unit_amount_decimal"] = str(price["unit_amount"])
    account.emit("price.created", price)
    return price


def make_lines(account: Account, told: list[dict[str, Any]]) -> list[Object]:
    """Make the lines of a session or a link; a price that the donor chooses costs nothing yet."""
    return [make_line(account, one) for one in told]


def make_line(account: Account, told: dict[str, Any]) -> Object:
    if "price_data" in told:
        price = make_price(account, told["price_data"], listed=False)
    elif "price" in told:
        price = account.get("price", told["price"], "line_items[0][price]")
    else:
        raise Refused("You must provide one of `price` or `price_data`.", param="line_items")
    quantity = told.get("quantity", 1 if price["custom_unit_amount"] else None)
    if not quantity:
        message = "Quantity is required. Add `quantity` to `line_items[0]`"
        raise Refused(message, param="line_items")
    cents = (price["unit_amount"] or 0) * quantity
    return account.add(
        "item",
        amount_subtotal=cents,
        amount_total=cents,
        currency=price["currency"],
        description=account.objects[price["product"]]["name"],
        price=price,
        quantity=quantity,
    )


def without(told: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name not in names}
