"""What is done with an import: say how it is read, try it, run it, let it rest, end it, take it away."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from customerhub.console.desk import Desk, signed_in
from customerhub.console.imports.bringing import IMPORTS, check_write
from customerhub.console.imports.mapping import read_options
from customerhub.console.imports.one import render_one
from customerhub.console.reader import Refusal, to_refusal
from customerhub.core.command import Command
from customerhub.core.imports import orders
from customerhub.dialects.forms import find_form
from customerhub.model.answer import Answer
from customerhub.model.error import Conflict, Invalid, PreconditionRequired
from customerhub.store.imports import Import, Options
from customerhub.web.render import redirect
from customerhub.web.screens import Screen

KIND: Final = "import"
Work = Callable[[Desk, Command, orders.Render], Awaitable[Answer]]


async def save(desk: Desk) -> Answer:
    """`POST …/options`: keep how the rows are read, and, as the button says, try or run the import then."""
    then = desk.form.get("then", "")

    async def work(desk: Desk, command: Command, render: orders.Render) -> Answer:
        def decide(one: Import) -> Options:
            return read_options(desk, one)

        answer = await orders.change_options(desk.hub, command, desk.get_id(kind=KIND), decide, find_form, render)
        if then in ("try", "run"):
            return await _start(desk, desk.command(), render, is_trial=then == "try")
        return answer

    return await _do(desk, work)


async def _start(desk: Desk, command: Command, render: orders.Render, *, is_trial: bool = False) -> Answer:
    return await orders.start_import(desk.hub, command, desk.get_id(kind=KIND), find_form, render, is_trial=is_trial)


async def run(desk: Desk) -> Answer:
    """`POST …/run`: let it run, or go on where it was."""
    return await _do(desk, _start)


async def pause(desk: Desk) -> Answer:
    """`POST …/pause`: let it rest behind the rows that are done."""
    return await _do(desk, _to_work(orders.pause_import))


async def cancel(desk: Desk) -> Answer:
    """`POST …/cancel`: end it behind the rows that are done; a trial is given up."""
    return await _do(desk, _to_work(orders.cancel_import))


async def delete(desk: Desk) -> Answer:
    """`POST …/delete`: take it away with its rows, and back to the list."""

    async def work(desk: Desk, command: Command, render: orders.Render) -> Answer:
        del render
        return await orders.delete_import(
            desk.hub, command, desk.get_id(kind=KIND), lambda _: redirect(desk.url("imports"))
        )

    return await _do(desk, work)


def _to_work(use_case: Callable[..., Awaitable[Answer]]) -> Work:
    async def work(desk: Desk, command: Command, render: orders.Render) -> Answer:
        return await use_case(desk.hub, command, desk.get_id(kind=KIND), render)

    return work


async def _do(desk: Desk, work: Work) -> Answer:
    """The import's page after that; with the reasons where it was refused."""
    check_write(desk)

    def render(one: Import) -> Answer:
        return redirect(desk.url("imports", one.id))

    try:
        return await work(desk, desk.command(), render)
    except (Invalid, Conflict, PreconditionRequired) as error:
        refusal = to_refusal(error)
        reasons = _to_columns(error) if isinstance(error, Invalid) else {}
        return await render_one(desk, Refusal(reasons, refusal.notice, refusal.status, error))


def _to_columns(error: Invalid) -> dict[str, str]:
    """What is wrong by column, or by field of the form."""
    return {str(one.path[-1] if one.path else ""): one.reason for one in error.errors}


SCREENS: Final[Mapping[str, Mapping[str, Screen]]] = {
    f"{IMPORTS}/{{id}}/{name}": {"POST": signed_in(screen, permission="customers:update")}
    for name, screen in (("options", save), ("run", run), ("pause", pause), ("cancel", cancel), ("delete", delete))
}
