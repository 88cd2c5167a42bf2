"""The double over HTTP: it judges each request and each of its own answers by the description."""

import json
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.stripe.account import Account, Object
from tests.stripe.answers import expanded, listed, read
from tests.stripe.description import Operation
from tests.stripe.operations import OPERATIONS
from tests.stripe.pages import page
from tests.stripe.requests import Invalid, Reader, Refused

BODY_MAX = 1 << 20


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came in."""

    method: str
    path: str
    query: str
    body: str
    headers: dict[str, str]

    @property
    def idempotency_key(self) -> str | None:
        return self.headers.get("idempotency-key")


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Object
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Double:
    """`faults` are the double's own, `invalid` what our program asked against the description.

    `troubles` answer instead of the account, one request each: an outage, a limit, an answer that
    is lost after the account acted.
    """

    account: Account
    url: str = ""
    faults: list[str] = field(default_factory=list)
    invalid: list[str] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    troubles: list[Callable[["Double", Asked], Answer | None]] = field(default_factory=list)
    answered: dict[str, tuple[Asked, Answer]] = field(default_factory=dict)

    def answer(self, asked: Asked) -> Answer | None:
        """Answer a request; nothing means that the connection breaks."""
        with self.account.lock:
            self.asked.append(asked)
            trouble = self.troubles.pop(0) if self.troubles else None
            if trouble is not None:
                return trouble(self, asked)
            return self.once(asked)

    def once(self, asked: Asked) -> Answer:
        """Answer a repeated key as the first time; refuse it for another request."""
        key = asked.idempotency_key
        if key is None or asked.method == "GET":
            return self.judged(asked)
        before = self.answered.get(key)
        if before is None:
            answer = self.judged(asked)
            # What was refused before anything happened may be asked again with the same key.
            if answer.status < 400 or answer.status == 402:
                self.answered[key] = (asked, answer)
            return answer
        first, answer = before
        if (first.path, first.body) != (asked.path, asked.body):
            message = (
                "Keys for idempotent requests can only be used with the same parameters they were"
                " first used with."
            )
            return refusal(Refused(message, kind="idempotency_error"))
        return Answer(answer.status, answer.body, {"idempotent-replayed": "true"})

    def judged(self, asked: Asked) -> Answer:
        try:
            return self.performed(asked)
        except Invalid as invalid:
            self.invalid.append(f"{asked.method} {asked.path}: {invalid.message}")
            return refusal(invalid)
        except Refused as refused:
            return refusal(refused)
        except Exception:  # noqa: BLE001 - whatever is wrong with the double fails the test.
            self.faults.append(f"{asked.method} {asked.path}\n{traceback.format_exc()}")
            return refusal(Refused("The double is wrong.", status=500, kind="api_error"))

    def performed(self, asked: Asked) -> Answer:
        account = self.account
        self.authenticate(asked)
        found = account.described.find(asked.method, asked.path)
        if found is None:
            raise Invalid(f"Unrecognized request URL ({asked.method}: {asked.path}).", status=404)
        operation, named = found
        reader = Reader(account.described, operation)
        told = reader.body(asked.body) if asked.method == "POST" else {}
        query = reader.query(asked.query)
        account.request_id = account.new_id("req_")
        account.idempotency_key = asked.idempotency_key
        try:
            answer = self.act(operation, named, told | query, asked.path)
        finally:
            account.request_id = account.idempotency_key = None
        answer = expanded(account, answer, (told | query).get("expand", []))
        account.described.check_answer(operation, answer)
        return Answer(200, answer)

    def authenticate(self, asked: Asked) -> None:
        if asked.headers.get("authorization") != f"Bearer {self.account.secret_key}":
            raise Refused("Invalid API Key provided.", status=401)
        version = asked.headers.get("stripe-version", self.account.described.version)
        if version != self.account.described.version:
            described = self.account.described.version
            raise Invalid(f"Only version {described} is described, not {version}.")
        if "stripe-account" in asked.headers:
            message = "The provided key does not have access to this account."
            raise Refused(message, status=403, code="account_invalid")

    def act(self, operation: Operation, named: dict[str, str], told: Any, path: str) -> Object:
        perform = OPERATIONS.get(operation.id)
        if perform is not None:
            return perform(self.account, named, {k: v for k, v in told.items() if k != "expand"})
        kind = operation.answers_type
        assert kind is not None, f"the double does not know {operation.id}"
        assert operation.method == "GET", f"the double does not know {operation.id}"
        if operation.is_list:
            own = {name: value for name, value in named.items() if name == "charge"}
            return listed(self.account, kind, path, told | own)
        (object_id,) = named.values()
        return read(self.account, kind, object_id)


def refusal(refused: Refused) -> Answer:
    return Answer(refused.status, refused.body)


def broken(double: Double, asked: Asked) -> Answer | None:
    """Stripe is out of order, before it did anything."""
    return refusal(Refused("Something went wrong.", status=503, kind="api_error"))


def lost(double: Double, asked: Asked) -> Answer | None:
    """Stripe acts, and its answer never comes: the connection breaks."""
    double.once(asked)
    return None


def limited(double: Double, asked: Asked) -> Answer | None:
    """Stripe is asked too often."""
    told = "Request rate limit exceeded."
    return refusal(Refused(told, status=429, code="rate_limit"))


def visits_to(double: Double) -> type[BaseHTTPRequestHandler]:
    class Visit(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Otherwise an answer's body waits for the acknowledgement of its headers.
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            length = int(self.headers.get("content-length") or 0)
            assert length <= BODY_MAX
            body = self.rfile.read(length).decode()
            if not url.path.startswith("/v1/"):
                self.reply(*page(double.account, self.command, url.path, body))
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = double.answer(Asked(self.command, url.path, url.query, body, headers))
            if answer is None:
                self.close_connection = True
                return
            sent = {"content-type": "application/json", "request-id": "req_double"}
            self.reply(answer.status, sent | answer.headers, json.dumps(answer.body))

        do_POST = do_DELETE = do_GET  # noqa: N815 - the names are the server library's.

        def reply(self, status: int, headers: dict[str, str], text: str) -> None:
            sent = text.encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, format: str, *told: Any) -> None:  # noqa: A002
            """The tests say what matters."""

    return Visit


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


@contextmanager
def doubled(account: Account | None = None) -> Iterator[Double]:
    """Serve an account until the end of the block; then nothing may have been wrong."""
    double = Double(account or Account())
    server = Server(("127.0.0.1", 0), visits_to(double))
    double.url = double.account.pages_url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield double
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert not double.faults, "\n".join(double.faults)
    assert not double.invalid, "\n".join(double.invalid)
