"""The register as officers keep it: a partner, what it is called, who speaks for it."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID, uuid4, uuid5

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api import admin, people
from api.ambassadors import able, credit_with_shop
from api.auth import Actor
from api.deps import Context, context_of
from api.erasure import forget_contact
from api.home import PAGE
from api.office.desk import (
    FieldMalformed,
    Form,
    Officer,
    Reader,
    account_behind,
    account_of_contact,
    now,
    partner_people,
    shop_name_of,
    today_here,
)
from api.office.page import OfficePage
from api.people import EMAIL, NAME
from ledger.giving import Regime
from ledger.partners.agreements import Commitment
from ledger.partners.certifications.decider import certification
from ledger.partners.register import (
    SECTORS,
    Contact,
    DescribePartner,
    NameContact,
    RegisterPartner,
    RemoveContact,
    SetPublicationConsent,
    partner,
)
from ledger.partners.register import Role as ContactRole
from ledger.partners.standing import rule_on, standing
from projections import partners

router = APIRouter(prefix="/office/partners", include_in_schema=False)

CONTACT_ROLES: tuple[ContactRole, ...] = ("owner", "manager", "accountant", "till")
REGIMES: tuple[Regime, ...] = ("mandate", "named_beneficiary", "own_name", "own_money")
COMMITMENTS: tuple[Commitment, ...] = (
    "round_up",
    "add_on",
    "share_of_sales",
    "amount_per_item",
)
PHONE_MAX = 30


def search_page(request: Request) -> OfficePage:
    """Show the partners that match, and the form that registers another."""
    query = request.query_params.get("q", "")

    def found(context: Context) -> dict[str, Any]:
        with context.pool.connection() as connection:
            matching = partners.directory(connection, query)
        return {"found": matching, "query": query, "sectors": SECTORS}

    asked = {"q": query} if query else {}
    return OfficePage("office/partners.html", router.prefix, found, asked)


@router.api_route("", **PAGE)
async def search(request: Request, _: Reader) -> Response:
    return await search_page(request).show(request)


@router.post("")
async def register(request: Request, actor: Officer) -> Response:
    """Register a partner; that alone makes nobody active."""

    def act(context: Context, form: Form) -> str:
        partner_id = uuid5(admin.SIRET_NAMESPACE, "".join(form.text("siret").split()))
        who: dict[str, Any] = {"at": now(), "actor": str(actor), "partner_id": partner_id}
        code, name = form.text("ambassador"), form.text("trade_name")
        if code:
            able(context, code)
        registered = RegisterPartner(name=name, siret=form.text("siret"), **who)
        described = description(form, who)
        context.ledger.handle(partner, partner_id, registered)
        context.ledger.handle(partner, partner_id, described)
        if code:
            people = partner_people(context, partner_id)
            credit_with_shop(context, str(actor), code, partner_id, people)
        return f"{router.prefix}/{partner_id}?done=registered"

    return await search_page(request).submit(request, act)


def description(form: Form, who: dict[str, Any]) -> DescribePartner:
    name = form.text("trade_name")
    return DescribePartner(
        trade_name=name,
        legal_name=form.text("legal_name") or name,
        place=form.text("place"),
        sector=form.word("sector"),
        **who,
    )


def gathered(context: Context, actor: Actor, partner_id: UUID) -> dict[str, Any]:
    """Read a partner from the ledger itself, so that what was just done shows."""
    context.admission.refresh()
    shop = admin.registered(context.ledger, partner_id)
    facts, today = context.admission.facts(partner_id), today_here()
    file = certification.fold(
        recorded.event for recorded in context.ledger.history(certification, partner_id)
    )
    return {
        "partner_id": partner_id,
        "shop": shop,
        "shop_name": shop_name_of(shop),
        "standing": standing(facts, today, rule_on(today)),
        "facts": facts,
        "file": file,
        "cases": sorted(file.cases.values(), key=lambda case: case.opened_on, reverse=True),
        "conflicted": str(actor) in file.conflicts,
        "contacts": [(contact, words_of(context, contact)) for contact in shop.contacts],
        "managers": managers(context, partner_id),
        "sectors": SECTORS,
        "contact_roles": CONTACT_ROLES,
        "regimes": REGIMES,
        "commitments": COMMITMENTS,
        "case_id": uuid4(),
    }


def words_of(context: Context, contact: Contact) -> dict[str, str]:
    """Give what the vault knows of a contact."""
    return {"name": "", "email": "", "phone": ""} | context.vault.fields(contact.subject_id)


def managers(context: Context, partner_id: UUID) -> list[people.Person]:
    """Give the accounts that act for a partner today."""
    return [one for one in people.team(context, partner_id) if one.enabled]


def partner_page(actor: Actor, partner_id: UUID) -> OfficePage:
    """Show all that the office knows of a partner, with the forms this person may use."""
    gather = partial(gathered, actor=actor, partner_id=partner_id)
    return OfficePage("office/partner.html", f"{router.prefix}/{partner_id}", gather)


@router.api_route("/{partner_id}", **PAGE)
async def show(request: Request, actor: Reader, partner_id: UUID) -> Response:
    return await partner_page(actor, partner_id).show(request)


async def carry_out(
    request: Request,
    actor: Actor,
    partner_id: UUID,
    done: str,
    act: Callable[[Form, dict[str, Any]], object],
) -> Response:
    """Do what a form of the partner's page asks, told who asks, when, and of which partner."""

    def asked(_: Context, form: Form) -> None:
        act(form, {"at": now(), "actor": str(actor), "partner_id": partner_id})

    return await partner_page(actor, partner_id).carry_out(request, done, asked)


@router.post("/{partner_id}/description")
async def describe(request: Request, actor: Officer, partner_id: UUID) -> Response:
    ledger = context_of(request).ledger

    def act(form: Form, who: dict[str, Any]) -> None:
        ledger.handle(partner, partner_id, description(form, who))

    return await carry_out(request, actor, partner_id, "described", act)


@router.post("/{partner_id}/consent")
async def set_consent(request: Request, actor: Officer, partner_id: UUID) -> Response:
    """Note whether the partner lets its own figures be published."""
    ledger = context_of(request).ledger

    def act(form: Form, who: dict[str, Any]) -> None:
        consented = form.text("consented") == "yes"
        ledger.handle(partner, partner_id, SetPublicationConsent(consented=consented, **who))

    return await carry_out(request, actor, partner_id, "described", act)


@router.post("/{partner_id}/contacts")
async def add_contact(request: Request, actor: Officer, partner_id: UUID) -> Response:
    """Name a person who speaks for the partner: with an account, or known to the vault only."""
    context = context_of(request)

    def act(form: Form, who: dict[str, Any]) -> None:
        admin.registered(context.ledger, partner_id)
        if form.text("account"):
            account_id = form.identifier("account")
            if account_id not in {one.account_id for one in managers(context, partner_id)}:
                raise FieldMalformed(field="account")
            subject_id = people.opened(context, account_id).subject_id
            named = NameContact(
                subject_id=subject_id, role=form.word("role"), account_id=account_id, **who
            )
        else:
            subject_id = uuid4()
            # Whoever has an account by this address does not judge the partner by it.
            account_of_hers = account_behind(context, form.text("email"))
            named = NameContact(
                subject_id=subject_id, role=form.word("role"), account_id=account_of_hers, **who
            )
            keep(context, subject_id, form)
        context.ledger.handle(partner, partner_id, named)

    return await carry_out(request, actor, partner_id, "contact_named", act)


def keep(context: Context, subject_id: UUID, form: Form) -> None:
    """Put what was typed of a person into the vault. Raises FieldMalformed."""
    told = {name: form.text(name) for name in ("name", "email", "phone")}
    if not NAME.fullmatch(told["name"]):
        raise FieldMalformed(field="name")
    if told["email"] and not EMAIL.fullmatch(told["email"]):
        raise FieldMalformed(field="email")
    if len(told["phone"]) > PHONE_MAX:
        raise FieldMalformed(field="phone")
    for name, text in told.items():
        if text:
            context.vault.put(subject_id, name, text)


def note_account(context: Context, partner_id: UUID, subject_id: UUID, who: dict[str, Any]) -> None:
    """Note whose account has a contact's address, for her words are erased when she leaves."""
    for contact in admin.registered(context.ledger, partner_id).contacts:
        account_id = account_of_contact(context, contact)
        if contact.subject_id == subject_id and account_id != contact.account_id:
            named = NameContact(
                subject_id=subject_id, role=contact.role, account_id=account_id, **who
            )
            context.ledger.handle(partner, partner_id, named)


@router.post("/{partner_id}/contacts/{subject_id}/removal")
async def remove_contact(
    request: Request, actor: Officer, partner_id: UUID, subject_id: UUID
) -> Response:
    """Note that a person speaks for the partner no more; who has no account is erased."""
    context = context_of(request)

    def act(_: Form, who: dict[str, Any]) -> None:
        note_account(context, partner_id, subject_id, who)
        context.ledger.handle(partner, partner_id, RemoveContact(subject_id=subject_id, **who))
        # Asked again it is refused nothing: an erasure that was interrupted is then done.
        forget_contact(context, subject_id)

    return await carry_out(request, actor, partner_id, "contact_removed", act)
