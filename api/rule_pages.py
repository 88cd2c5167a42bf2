"""How each vote rule works, told with five voters and counted by the rule itself."""

import json
from functools import lru_cache
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.auth import public
from api.errors import page_not_found
from api.home import PAGE
from api.pages import public_page
from api.round_pages import per_euro
from ledger.rules.exact import read_exact
from ledger.rules.examples import examples
from ledger.rules.rule import RULES

router = APIRouter(prefix="/rules", include_in_schema=False)


@lru_cache
def told() -> dict[str, dict[str, Any]]:
    """Count the examples once, and give them as the pages show them."""
    found = {}
    for name, example in examples().items():
        described = example.described()
        explained = {one.project_id: one for one in described["projects_explained"]}
        found[name] = {
            **described,
            "used": json.loads(example.result.rule.canonical()),
            "steps": [rounded(step) for step in described["steps"]],
            "prices": {key: per_euro(one.price) for key, one in explained.items()},
        }
    return found


def rounded(step: dict[str, Any]) -> dict[str, Any]:
    """Write exact shares as cents, for people."""
    shares: dict[str, Any] = {
        kind: {key: round(read_exact(share)) for key, share in step[kind].items()}
        for kind in ("exact", "matched")
        if kind in step
    }
    price = {"cents_per_euro": per_euro(step["price"])} if "price" in step else {}
    return {**step, **shares, **price}


@router.api_route("", **PAGE)
@public()
async def show_rules(request: Request) -> Response:
    return await public_page(request, "round/rules.html", lambda _: {"rules": list(RULES)})


@router.api_route("/{name}", **PAGE)
@public()
async def show_rule(request: Request, name: str) -> Response:
    if name not in RULES:
        return page_not_found(request)
    values = {"name": name, "example": told()[name]}
    return await public_page(request, "round/rule.html", lambda _: values)
