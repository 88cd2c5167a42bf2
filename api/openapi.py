"""What the OpenAPI document says of bodies that handlers read by themselves, and of refusals."""

from typing import Any

from pydantic import BaseModel

MEANING = {
    304: "Not changed since the ETag that was sent",
    400: "Not what this address takes; error.name says why",
    401: "No till holds this key",
    404: "Not found",
    409: "Contradicts what the ledger holds",
    413: "The body is too large",
    422: "Malformed; every problem is named with its field",
    429: "Too many attempts from this address; retry_minutes says how long to wait",
    503: "Nothing is confirmed: send the same request again after Retry-After seconds",
}


Json = Any  # What a JSON document holds, at any depth.


class Error(BaseModel):
    """A refusal: `name` is stable, `message` is for people, other facts may follow."""

    model_config = {"extra": "allow"}

    name: str
    message: str


class ErrorOut(BaseModel):
    error: Error


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe the refusals of a route by status."""
    return {status: {"model": ErrorOut, "description": MEANING[status]} for status in statuses}


def repeated(model: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """Describe the answer to a request that was carried out before."""
    return {200: {"model": model, "description": "Carried out before; the same answer"}}


def body_schema(
    model: type[BaseModel], *, idempotency_key: bool = False, secured: bool = True
) -> dict[str, Any]:
    """Describe a JSON body that a handler validates from its bytes, and the till's key."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    schema = inlined(schema, schema.pop("$defs", {}))
    extra: dict[str, Any] = {
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
    }
    if secured:
        extra["security"] = [{"till": []}]
    if idempotency_key:
        extra["parameters"] = [
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "schema": {"type": "string", "maxLength": 255},
                "description": "Stands for donation_id when the body has none.",
            }
        ]
    return extra


def inlined(schema: Json, definitions: dict[str, Json]) -> Json:
    """Put each referenced definition in the place of its reference."""
    match schema:
        case {"$ref": str(reference)}:
            return inlined(definitions[reference.rsplit("/", 1)[1]], definitions)
        case dict():
            return {name: inlined(part, definitions) for name, part in schema.items()}
        case list():
            return [inlined(part, definitions) for part in schema]
        case _:
            return schema
