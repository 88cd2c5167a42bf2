"""The partner shops: their pages and the JSON twins."""

from dataclasses import asdict
from datetime import date
from functools import partial
from typing import Any, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter
from psycopg import Connection
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from api.errors import page_not_found
from api.home import FIGURES, JSON, PAGE, UNCHANGED, SumsOut, sums
from api.openapi import refusals
from api.pages import public_page
from api.refusals import PartnerNotFound
from api.snapshots import snapshot
from projections import balances, partners
from projections.partners import Partner
from projections.read_model import as_of

router = APIRouter()


class PartnerOut(BaseModel):
    partner_id: UUID
    name: str
    siret: str
    status: Literal["registered", "active", "suspended", "lapsed"]
    registered_on: date
    valid_until: date | None
    gifts: int
    given_cents: int
    reversed_cents: int


class PartnersOut(BaseModel):
    """Every partner, in the order of a French directory."""

    partners: list[PartnerOut]
    as_of_position: int


class PartnerFiguresOut(PartnerOut, SumsOut):
    as_of_position: int


def found(connection: Connection[Any], partner_id: UUID) -> Partner:
    partner = partners.one(connection, partner_id)
    if partner is None:
        raise PartnerNotFound(partner_id=partner_id)
    return partner


def partners_page(connection: Connection[Any]) -> dict[str, Any]:
    return {"partners": partners.every(connection), "as_of": as_of(connection, *FIGURES)}


def partners_json(connection: Connection[Any]) -> bytes:
    every = partners.every(connection)
    return msgspec.json.encode(
        {"partners": every, "as_of_position": as_of(connection, *FIGURES).position}
    )


def partner_page(connection: Connection[Any], partner_id: UUID) -> dict[str, Any]:
    partner = found(connection, partner_id)
    figures = balances.figures_of_partner(connection, partner_id)
    return {"partner": partner, "figures": figures, "as_of": as_of(connection, *FIGURES)}


def partner_json(connection: Connection[Any], partner_id: UUID) -> bytes:
    partner = found(connection, partner_id)
    figures = balances.figures_of_partner(connection, partner_id)
    position = as_of(connection, *FIGURES).position
    return msgspec.json.encode(asdict(partner) | sums(figures) | {"as_of_position": position})


@router.api_route("/partners", **PAGE)
async def show_partners(request: Request) -> Response:
    return await public_page(request, "partners.html", partners_page)


@router.api_route("/partners/{text}", **PAGE)
async def show_partner(request: Request, text: str) -> Response:
    """Show one partner. What is no id at all is not found, like an id that nobody has."""
    try:
        gather = partial(partner_page, partner_id=UUID(text))
    except ValueError:
        return page_not_found(request)
    try:
        return await public_page(request, "partner.html", gather)
    except PartnerNotFound:
        return page_not_found(request)


@router.get("/api/v1/partners", response_model=PartnersOut, responses=UNCHANGED)
async def list_partners(request: Request) -> Response:
    """Give every partner with what was given there."""
    return await snapshot(request, JSON, partners_json)


@router.get(
    "/api/v1/partners/{partner_id}",
    response_model=PartnerFiguresOut,
    responses=UNCHANGED | refusals(404, 422),
)
async def one_partner(request: Request, partner_id: UUID) -> Response:
    """Give one partner with its figures by source and by month."""
    return await snapshot(request, JSON, partial(partner_json, partner_id=partner_id))
