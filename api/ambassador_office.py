"""Ambassadors in the office: enrolled on paper, named, retired, credited with shops."""

from typing import Any, Final
from uuid import UUID, uuid4, uuid5

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api import admin
from api import ambassador_links as links
from api.ambassadors import (
    EMAIL_FIELD,
    NAME_FIELD,
    credit_with_shop,
    enrolled,
    names_of,
    new_code,
    read_all,
)
from api.deps import Context
from api.home import PAGE
from api.office.desk import (
    DeclarationMissing,
    FieldMalformed,
    Form,
    Officer,
    Reader,
    now,
    partner_people,
)
from api.office.page import OfficePage
from api.people import EMAIL, NAME
from ledger.ambassadors import (
    ChangeNaming,
    EnrolAmbassador,
    RetireAmbassador,
    ambassador,
    ambassador_id_of,
)
from ledger.decider import Refused

router = APIRouter(include_in_schema=False)

OFFICE: Final = "/office/ambassadors"


class AmbassadorKnown(Refused):
    """Somebody with this address is an ambassador already."""


def gathered(context: Context) -> dict[str, Any]:
    found = read_all(context)
    wishes = {
        one.ambassador_id
        for one in found
        if context.vault.get(one.subject_id, links.WISH_FIELD) == links.WISHED
    }
    return {"ambassadors": found, "names": names_of(context, found), "wishes": wishes}


LIST: Final = OfficePage("project/office_ambassadors.html", OFFICE, gathered)


@router.api_route(OFFICE, **PAGE)
async def show_office(request: Request, _: Reader) -> Response:
    return await LIST.show(request)


@router.post(OFFICE)
async def enrol(request: Request, actor: Officer) -> Response:
    """Enrol an ambassador who signed her consent; without it nothing is kept."""

    def act(context: Context, form: Form) -> None:
        name, email = form.text("name"), form.text("email").lower()
        if not NAME.fullmatch(name):
            raise FieldMalformed(field="name")
        if email and not EMAIL.fullmatch(email):
            raise FieldMalformed(field="email")
        if form.text("consent") != "yes":
            raise DeclarationMissing
        if email and links.code_of_address(context, email) is not None:
            raise AmbassadorKnown
        code = new_code()
        subject_id = context.vault.find(EMAIL_FIELD, email) if email else None
        account_id = None if subject_id is None else context.credentials.account_of(subject_id)
        fresh = uuid4()
        for field, text in {NAME_FIELD: name, EMAIL_FIELD: email}.items():
            if text:
                context.vault.put(fresh, field, text)
        command = EnrolAmbassador(
            at=now(),
            actor=str(actor),
            ambassador_id=ambassador_id_of(code),
            subject_id=fresh,
            code=code,
            account_id=account_id,
            named=form.text("named") == "yes",
        )
        context.ledger.handle(ambassador, command.ambassador_id, command)
        if email:
            links.send_link(context, email, code, fresh)

    return await LIST.carry_out(request, "enrolled", act)


@router.post(f"{OFFICE}/credits")
async def credit_shop(request: Request, actor: Officer) -> Response:
    """Note that a shop joined through an ambassador: never her own shop."""

    def act(context: Context, form: Form) -> None:
        siret = "".join(form.text("siret").split())
        partner_id = uuid5(admin.SIRET_NAMESPACE, siret)
        people = partner_people(context, partner_id)
        credit_with_shop(context, str(actor), form.text("code"), partner_id, people)

    return await LIST.carry_out(request, "credited", act)


@router.post(f"{OFFICE}/{{ambassador_id}}/naming")
async def change_naming(request: Request, actor: Officer, ambassador_id: UUID) -> Response:
    def act(context: Context, form: Form) -> None:
        command = ChangeNaming(
            at=now(),
            actor=str(actor),
            ambassador_id=ambassador_id,
            named=form.text("named") == "yes",
        )
        context.ledger.handle(ambassador, ambassador_id, command)

    return await LIST.carry_out(request, "named", act)


@router.post(f"{OFFICE}/{{ambassador_id}}/retirement")
async def retire(request: Request, actor: Officer, ambassador_id: UUID) -> Response:
    """Retire an ambassador and erase who she is; what she brought stays counted."""

    def act(context: Context, _: Form) -> None:
        known = enrolled(context, ambassador_id)
        command = RetireAmbassador(at=now(), actor=str(actor), ambassador_id=ambassador_id)
        context.ledger.handle(ambassador, ambassador_id, command)
        context.vault.erase(known.enrolment.subject_id)
        links.forget(context, known.enrolment.code)

    return await LIST.carry_out(request, "retired", act)
