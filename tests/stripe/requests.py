"""What a request says, read by the description: typed values, or Stripe's own refusal."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from tests.stripe.description import Description, Operation, Schema

NEST_MAX = 12


@dataclass
class Refused(Exception):
    """A request that Stripe would answer with an error."""

    message: str
    status: int = 400
    kind: str = "invalid_request_error"
    code: str | None = None
    param: str | None = None

    @property
    def body(self) -> dict[str, Any]:
        told = {"type": self.kind, "message": self.message, "code": self.code, "param": self.param}
        return {"error": {name: value for name, value in told.items() if value is not None}}


class Invalid(Refused):
    """A request that the description does not allow: our program is wrong."""


def nested(form: str) -> dict[str, Any]:
    """Read `a[b][0]=c`; every leaf is a text."""
    found: dict[str, Any] = {}
    for name, value in parse_qsl(form, keep_blank_values=True, strict_parsing=bool(form)):
        steps = re.findall(r"[^\[\]]+|(?<=\[)(?=\])", name)
        if not steps or len(steps) > NEST_MAX:
            raise Invalid(f"Invalid parameter name: {name}")
        place = found
        for step in steps[:-1]:
            place = place.setdefault(step, {})
        place[steps[-1] or str(len(place))] = value
    return found


@dataclass(frozen=True)
class Reader:
    """Judges the parameters of one operation."""

    description: Description
    operation: Operation

    def query(self, text: str) -> dict[str, Any]:
        told = nested(text)
        allowed = {"properties": self.operation.query, "required": self.operation.query_required}
        return self.object(told, {"type": "object", **allowed}, "")

    def body(self, text: str) -> dict[str, Any]:
        return self.object(nested(text), self.operation.body, "")

    def value(self, told: Any, schema: Schema, path: str) -> Any:
        schema = self.description.resolved(schema)
        if "anyOf" in schema:
            return self.one_of(told, schema["anyOf"], path)
        match schema.get("type"):
            case "object":
                return self.object(told, schema, path)
            case "array":
                return self.array(told, schema, path)
            case _:
                return scalar(told, schema, path)

    def one_of(self, told: Any, schemas: list[Schema], path: str) -> Any:
        refusals: list[Refused] = []
        for schema in sorted(schemas, key=lambda one: self.fits(told, one), reverse=True):
            try:
                return self.value(told, schema, path)
            except Refused as refusal:
                refusals.append(refusal)
        raise refusals[0]

    def fits(self, told: Any, schema: Schema) -> bool:
        """Tell whether a value has the outer form of a schema, so that the best refusal is told."""
        kind = self.description.resolved(schema).get("type")
        return (kind in ("object", "array")) == isinstance(told, dict)

    def object(self, told: Any, schema: Schema, path: str) -> dict[str, Any]:
        if not isinstance(told, dict):
            raise Invalid("Invalid object", param=path)
        properties: Mapping[str, Schema] = schema.get("properties", {})
        others = schema.get("additionalProperties", not properties)
        read = {}
        for name, value in told.items():
            place = f"{path}[{name}]" if path else name
            if name in properties:
                read[name] = self.value(value, properties[name], place)
            elif isinstance(others, Mapping):
                read[name] = self.value(value, others, place)
            elif others and isinstance(value, str):
                read[name] = value
            else:
                message = f"Received unknown parameter: {place}"
                raise Invalid(message, code="parameter_unknown", param=place)
        for name in schema.get("required", ()):
            if name not in told:
                place = f"{path}[{name}]" if path else name
                message = f"Missing required param: {place}."
                raise Invalid(message, code="parameter_missing", param=place)
        return read

    def array(self, told: Any, schema: Schema, path: str) -> list[Any]:
        if not isinstance(told, dict) or any(not step.isdigit() for step in told):
            raise Invalid("Invalid array", param=path)
        places = sorted(told, key=int)
        return [self.value(told[one], schema["items"], f"{path}[{one}]") for one in places]


def scalar(told: Any, schema: Schema, path: str) -> Any:
    if not isinstance(told, str):
        raise Invalid("Invalid string", param=path)
    if "enum" in schema and told not in schema["enum"]:
        allowed = ", ".join(schema["enum"])
        raise Invalid(f"Invalid {path}: must be one of {allowed}", param=path)
    if len(told) > schema.get("maxLength", len(told)):
        raise Invalid(f"Invalid string: {path} is too long", param=path)
    match schema.get("type"):
        case "integer":
            if not re.fullmatch(r"-?\d+", told):
                code = "parameter_invalid_integer"
                raise Invalid(f"Invalid integer: {told}", code=code, param=path)
            return int(told)
        case "boolean":
            if told not in ("true", "false"):
                raise Invalid(f"Invalid boolean: {told}", param=path)
            return told == "true"
        case "number":
            return float(told)
        case _:
            return told
