"""What a page asks of Stripe for a gift, where a test needs no more of it than an amount."""

from typing import Any

BACK = "https://dons.example.org/give"


def gift_params(cents: int = 1_500, **more: Any) -> Any:
    price = {"currency": "eur", "unit_amount": cents, "product_data": {"name": "Don"}}
    return {
        "mode": "payment",
        "line_items": [{"price_data": price, "quantity": 1}],
        "success_url": BACK,
        **more,
    }


def monthly_params(cents: int = 1_000, **more: Any) -> Any:
    params = gift_params(cents, **more)
    params["line_items"][0]["price_data"]["recurring"] = {"interval": "month"}
    return params | {"mode": "subscription"}
