"""A shop's gifts from the file of its own till: each line is accepted, repeated or refused."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from api.auth import Actor, person_page, require
from api.deps import Context, context_of
from api.forms import MULTIPART, form_of
from api.home import PAGE
from api.intake import DonationIn, record_gifts
from api.pages import Address
from api.refusals import error_of, malformed
from api.till import sale_cents_of
from ledger.calendar import VILLAGE
from ledger.decider import Refused
from projections import tills
from projections.admission import AdmittedTill

router = APIRouter(prefix="/my/upload", include_in_schema=False)

Manager = Annotated[Actor, require("partner_manager")]
LINES_MAX: Final = 10_000
AT_ONCE: Final = 500
REQUIRED: Final = ("occurred_at", "amount", "reference")
OPTIONAL: Final = ("purchase", "source", "ask_id")
# A file of accounts made by a spreadsheet is in one of these.
ENCODINGS: Final = ("utf-8-sig", "cp1252")

Result = Literal["accepted", "repeated", "refused"]


class FileMissing(Refused):
    """No file was chosen."""


class FileMalformed(Refused):
    """The file is no CSV with the columns occurred_at, amount and reference."""


class FileTooLong(Refused):
    """The file has more lines than one upload takes."""


class TillUnknown(Refused):
    """No till of yours is in use under this id."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file as it was read: a gift, or what is wrong with it."""

    number: int
    reference: str
    gift: DonationIn | None
    problem: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """What came of one line; `problem` and `field` are the names of a refusal."""

    number: int
    reference: str
    result: Result
    amount_cents: int = 0
    code: str = ""
    problem: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What came of each line, in their order."""

    lines: tuple[Told, ...]

    def count(self, result: Result) -> int:
        return sum(one.result == result for one in self.lines)

    def cents(self, result: Result) -> int:
        return sum(one.amount_cents for one in self.lines if one.result == result)


def text_of(content: bytes) -> str:
    for encoding in ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise FileMalformed


def rows_of(content: bytes) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Read the lines of a file by the names of its columns. Raises FileMalformed, FileTooLong."""
    text = text_of(content)
    head = text.partition("\n")[0]
    delimiter = max(";,\t", key=head.count)
    reader = csv.DictReader(io.StringIO(text), delimiter=delimiter, strict=True)
    try:
        columns = [name.strip().lower() for name in reader.fieldnames or ()]
        reader.fieldnames = columns
        if not set(REQUIRED) <= set(columns) <= {*REQUIRED, *OPTIONAL}:
            raise FileMalformed(columns=", ".join(columns)[:200])
        for count, row in enumerate(reader, 1):
            if count > LINES_MAX:
                raise FileTooLong(lines_max=LINES_MAX)
            values = {name: (value or "").strip() for name, value in row.items() if name}
            yield reader.line_num, {} if None in row else values
    except csv.Error:
        raise FileMalformed(columns="") from None


def moment_of(text: str) -> datetime | None:
    """Read a time; one without an offset is on the village's clock."""
    try:
        moment = datetime.fromisoformat(text)
        local = moment.replace(tzinfo=VILLAGE) if moment.tzinfo is None else moment
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def gift_id(context: Context, till: AdmittedTill, reference: str) -> UUID:
    """Give the id of the gift of a reference: the same for ever, and no way back to it."""
    said = till.till_id.bytes + reference.encode()
    digest = blake2b(said, key=context.keyring.imports, person=b"upload", digest_size=16)
    return UUID(bytes=digest.digest(), version=5)


def line_of(context: Context, till: AdmittedTill, number: int, row: Mapping[str, str]) -> Line:
    """Read one line, or name what is wrong with it."""
    reference = row.get("reference", "")[:100]
    moment = moment_of(row.get("occurred_at", ""))
    if not row:
        return Line(number, "", None, "too_many_columns")
    if not reference or reference != row["reference"]:
        return Line(number, reference, None, "malformed", "reference")
    if moment is None:
        return Line(number, reference, None, "malformed", "occurred_at")
    amounts: dict[str, int | None] = {}
    for name in ("amount", "purchase"):
        text = row.get(name, "")
        amounts[name] = sale_cents_of(text) if text else None
        if (text and not amounts[name]) or (name == "amount" and not text):
            return Line(number, reference, None, "malformed", name)
    fields: dict[str, Any] = {
        "donation_id": gift_id(context, till, reference),
        "occurred_at": moment,
        "amount_cents": amounts["amount"],
        "purchase_cents": amounts["purchase"],
        "source": row.get("source") or "customer",
        "sale_ref": reference,
        "ask_id": row.get("ask_id") or None,
    }
    try:
        return Line(number, reference, DonationIn(**fields))
    except ValidationError as error:
        field = str(malformed(error).fields["problems"][0]["field"]).removesuffix("_cents")
        return Line(number, reference, None, "malformed", field)


async def upload(context: Context, actor: str, till: AdmittedTill, content: bytes) -> Report:
    """Record the gifts of a file, many a commit; tell of each line. Raises FileMalformed."""

    def read() -> list[Line]:
        return [line_of(context, till, number, row) for number, row in rows_of(content)]

    lines = await run_in_threadpool(read)
    told: dict[int, Told] = {
        line.number: Told(line.number, line.reference, "refused", 0, "", line.problem, line.field)
        for line in lines
        if line.gift is None
    }
    good = [(line, line.gift) for line in lines if line.gift is not None]
    for start in range(0, len(good), AT_ONCE):
        some = good[start : start + AT_ONCE]
        answers = await record_gifts(context, till, [gift for _, gift in some], actor)
        for (line, gift), answer in zip(some, answers, strict=True):
            if isinstance(answer, Refused):
                problem = str(error_of(answer)["name"])
                told[line.number] = Told(
                    line.number, line.reference, "refused", gift.amount_cents, "", problem
                )
            else:
                result: Result = "accepted" if answer.fresh else "repeated"
                told[line.number] = Told(
                    line.number, line.reference, result, gift.amount_cents, answer.code
                )
    return Report(tuple(told[line.number] for line in lines))


def tills_in_use(context: Context, actor: Actor) -> list[AdmittedTill]:
    with context.pool.connection() as connection:
        of_shops = [
            one
            for partner_id in actor.partner_ids
            for one in tills.of_partner(connection, partner_id)
        ]
    admitted = (context.admission.till(one.till_id) for one in of_shops)
    return [one for one in admitted if one is not None]


async def upload_page(
    request: Request,
    actor: Actor,
    *,
    chosen: str = "",
    problem: str | None = None,
    report: Report | None = None,
) -> Response:
    context = context_of(request)
    offered = await run_in_threadpool(tills_in_use, context, actor)
    values = {
        "tills": [(one, context.admission.partner_name(one.partner_id)) for one in offered],
        "chosen": chosen,
        "problem": problem,
        "report": report,
        "lines_max": LINES_MAX,
        "columns": (*REQUIRED, *OPTIONAL),
    }
    here = Address("/my/upload")
    return person_page(request, "my/upload.html", values, here, status=422 if problem else 200)


@router.api_route("", **PAGE)
async def show(request: Request, actor: Manager) -> Response:
    return await upload_page(request, actor)


@router.post("")
async def take(request: Request, actor: Manager) -> Response:
    """Record a file's gifts and tell of each line; the same file again records nothing twice."""
    chosen = (await form_of(request)).get("till", "")
    context = context_of(request)
    try:
        content = await content_of(request)
        till = await run_in_threadpool(till_chosen, context, actor, chosen)
        report = await upload(context, str(actor), till, content)
    except (FileMissing, FileMalformed, FileTooLong, TillUnknown) as refusal:
        problem = str(error_of(refusal)["name"])
        return await upload_page(request, actor, chosen=chosen, problem=problem)
    return await upload_page(request, actor, chosen=chosen, report=report)


async def content_of(request: Request) -> bytes:
    """Give the file of the form. Raises FileMissing."""
    if not request.headers.get("content-type", "").startswith(MULTIPART):
        raise FileMissing
    async with request.form() as form:
        file = form.get("file")
        if not isinstance(file, UploadFile) or not file.filename:
            raise FileMissing
        return await file.read()


def till_chosen(context: Context, actor: Actor, chosen: str) -> AdmittedTill:
    """Give the manager's own till that a form names. Raises TillUnknown."""
    for one in tills_in_use(context, actor):
        if str(one.till_id) == chosen:
            return one
    raise TillUnknown
