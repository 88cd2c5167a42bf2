"""The one shape of an office page with forms: shown, filled in, done, or shown again with why not.

def pledge_page(pledge_id: UUID) -> OfficePage:
    gather = partial(gathered, pledge_id=pledge_id)
    return OfficePage("office/pledge.html", f"{router.prefix}/{pledge_id}", gather)
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.auth import Actor, person_page
from api.deps import Context, context_of
from api.forms import fields_of
from api.office.desk import Form, Problem, attempted, today_here
from api.pages import Address, go

Act = Callable[[Context, Form], object]


@dataclass(frozen=True, slots=True)
class OfficePage:
    """A page and what it shows, besides who reads it and what became of the last form.

    `gather` reads what the page shows; it may block. What it raises is answered instead.
    """

    template: str
    path: str
    gather: Callable[[Context], dict[str, Any]]
    query: Mapping[str, str] = field(default_factory=dict)

    async def show(self, request: Request, problem: Problem | None = None) -> Response:
        """Answer with the page, in which a refused form says why and what was typed."""
        actor: Actor = request.state.actor
        values = {
            "problem": problem,
            "done": request.query_params.get("done"),
            "officer": actor.has("officer"),
            "member": actor.has("committee"),
            "judge": actor.has("officer", "committee"),
            "me": str(actor),
            "today": today_here(),
            "here": self.path,
            **await run_in_threadpool(self.gather, context_of(request)),
        }
        status = 200 if problem is None else problem.status
        address = Address(self.path, self.query)
        return person_page(request, self.template, values, address, status=status)

    async def carry_out(self, request: Request, done: str, act: Act) -> Response:
        """Do what a form of this page asks, and lead back to it or show in it why not."""

        def back(context: Context, form: Form) -> str:
            act(context, form)
            return f"{self.path}?done={done}"

        return await self.submit(request, back)

    async def submit(self, request: Request, act: Callable[[Context, Form], str]) -> Response:
        """Do what a form of this page asks, and lead where that says or show here why not."""
        context, form = context_of(request), Form(await fields_of(request))
        led: list[str] = []
        problem = await attempted(form, lambda: led.append(act(context, form)))
        return go(led[0]) if problem is None else await self.show(request, problem)
