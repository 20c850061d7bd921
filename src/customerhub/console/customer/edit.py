"""Changing a customer card by card: nothing that was typed is lost, whoever else changes it meanwhile."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from customerhub.console.customer.meeting import Since, Word, look_back, meet
from customerhub.console.customer.page import (
    WANTED,
    Editing,
    render_page,
    to_body,
    to_names,
    to_new,
    to_numbers,
)
from customerhub.console.customer.sheet import NEW, Input, Json, Sheet, find_entry, to_sheet
from customerhub.console.customer.subject import Subject, get_subject, of_customer, to_path
from customerhub.console.customer.typed import Typed, named_custom, read_typed, sort_errors, to_patch, to_removal
from customerhub.console.desk import MARK, PREFIX, Desk
from customerhub.core.customers import Proposal, update_customer
from customerhub.core.search import Found, search_customers
from customerhub.core.timeline import get_customer_at
from customerhub.model.answer import Answer
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Customer, email_key
from customerhub.model.error import Conflict, HistoryGone, Invalid, Malformed, NotFound, PreconditionFailed, Taken
from customerhub.web.render import redirect
from customerhub.web.screens import Screen

_DONE: Final = Answer(200)
_LONGEST_VERSION: Final = 18
_RACES: Final = 5
_UNIQUE: Final = ("email", "number", "reference_id")
_CHOICES: Final = ("mine", "theirs")
_LOST: Final = (
    "It has changed meanwhile, and what it was is not kept any more. Look at what you typed, and save it again."
)
_REMOVED: Final = "This was removed meanwhile{by}. What was there and what you typed is below: save it to add it anew."
_TOUCHED: Final = "This was changed meanwhile{by}. Look at it, and remove it again if that is still what you want."


async def show_form(desk: Desk, subject: Subject) -> Answer:
    """`GET …/edit/{form}`: the customer's page with one card as a form."""
    sheet = to_sheet(desk.parameter("form"), to_body(desk, subject), subject.catalogue)
    return await render_page(desk, subject, Editing(sheet, subject.customer.version, anchor=sheet.key))


async def save(desk: Desk, subject: Subject) -> Answer:
    """`POST …/edit/{form}`: on to the page, or the form again with what is wrong, or what others changed meanwhile.

    Raises NotFound for a form or an entry that there never was.
    """
    if subject.is_deleted:
        return _tell_gone(desk, subject)
    clashes = desk.values("clash")
    picked = {key: choice for key in clashes if (choice := desk.form.get(f"pick.{key}", "")) in _CHOICES}
    # Where a choice is missing it is asked for again, from where both started.
    seen = _read_version(desk, "base" if len(picked) < len(clashes) else "version")
    try:
        base = await _get_base(desk, subject, seen)
    except HistoryGone:
        return await _ask_again(desk, subject)
    sheet = to_sheet(desk.parameter("form"), to_body(desk, base), base.catalogue, named_custom(desk))
    if desk.form.get("action") == "remove" and sheet.entry is not None:
        return await _remove(desk, subject, base, sheet)
    typed = await read_typed(desk, sheet, to_numbers(subject))
    if len(picked) == len(clashes):
        typed.values = {key: value for key, value in typed.values.items() if picked.get(key) != "theirs"}
        # They were of these two values; whoever is overtaken once more chooses once more.
        picked = {}
    return await _Saving(desk, base, sheet, typed, picked).run(subject)


class _Saving:
    """One attempt of a person to save what was typed into one form, made of the record as it was at `base`."""

    def __init__(self, desk: Desk, base: Subject, sheet: Sheet, typed: Typed, picked: Mapping[str, str]) -> None:
        self._desk = desk
        self._base = base
        self._sheet = sheet
        self._typed = typed
        self._picked = picked
        self._edits = typed.edits(sheet)

    async def run(self, subject: Subject) -> Answer:
        """Save it, or show why not."""
        for _ in range(_RACES):
            answer = await self._find_obstacle(subject)
            if answer is not None:
                return answer
            if not self._edits and not self._sheet.is_new:
                return to_card(self._desk, subject, self._sheet)
            patch = to_patch(self._sheet, self._edits, self._typed.make)
            try:
                await write(self._desk, subject, patch)
            except PreconditionFailed:
                subject = await get_subject(self._desk, WANTED)
                if subject.is_deleted:
                    return _tell_gone(self._desk, subject)
            except Invalid as error:
                return await self._show_errors(subject, error)
            except Conflict as error:
                return await self._show(subject, 409, notices=(f"{error.reason[:1].upper()}{error.reason[1:]}.",))
            else:
                return to_card(self._desk, subject, self._sheet)
        return await self._show(subject, 409, notices=("Others are changing this customer all the time. Try again.",))

    async def _find_obstacle(self, subject: Subject) -> Answer | None:
        """Why nothing can be saved yet: something is wrong with the form, or others have changed the record."""
        if self._base.customer.version == subject.customer.version or self._sheet.is_new:
            return await self._show(subject, 422, errors=self._typed.errors) if self._typed.errors else None
        since = await look_back(self._desk, self._base.customer, subject.customer)
        body = to_body(self._desk, subject)
        if self._sheet.member is not None and find_entry(body, self._sheet.member, self._sheet.entry) is None:
            return await self._offer_anew(subject, since, body)
        now = self._to_present(subject, body)
        pairs = [(then, one, self._edits[one.key]) for one in now.inputs if (then := self._find_edited(one.key))]
        names = to_names(subject, body)
        names.learn_record(to_body(self._desk, self._base))
        meeting = meet(self._desk.caller.actor, self._base.customer, subject.customer, since, pairs, names)
        meeting.picked = self._picked
        # What both changed to the same value is there already.
        self._edits = {one.key: value for _, one, value in pairs if value != one.now}
        meeting.rows = [row for row in meeting.rows if row.one.key in self._edits]
        if self._typed.errors:
            return await self._show(subject, 422, errors=self._typed.errors)
        if not meeting.clashes and meeting.is_own:
            return None
        if not self._edits:
            return to_card(self._desk, subject, self._sheet)
        editing = Editing(now, subject.customer.version, self._edits, meeting=meeting, anchor=self._sheet.key)
        return await render_page(self._desk, subject, editing, 409)

    def _find_edited(self, key: str) -> Input | None:
        return self._sheet.find(key) if key in self._edits else None

    def _to_present(self, subject: Subject, body: Json) -> Sheet:
        """The same form on the record as it is now."""
        named = [str(one.place[-1]) for one in self._sheet.inputs if "attributes" in one.place[:-1]]
        return to_sheet(self._sheet.key, body, subject.catalogue, named)

    async def _offer_anew(self, subject: Subject, since: Since, body: Json) -> Answer:
        """The address or contact is gone: all that it said, with what was typed, as a new one."""
        sheet = self._sheet
        kind = sheet.key.partition("-")[0]
        named = [str(one.place[-1]) for one in sheet.inputs if "attributes" in one.place[:-1]]
        fresh = to_sheet(to_new(kind), body, subject.catalogue, named)
        before = {one.key: one.now for one in sheet.inputs}
        notice = _REMOVED.format(by=_by(since.word(f"/{sheet.member}/{sheet.entry}")))
        editing = Editing(
            fresh,
            subject.customer.version,
            before | self._edits,
            self._typed.errors,
            (notice,),
            self._typed,
            anchor=sheet.key,
        )
        return await render_page(self._desk, subject, editing, 409)

    async def _show_errors(self, subject: Subject, error: Invalid) -> Answer:
        errors, notices = sort_errors(self._sheet, error.errors)
        others: dict[str, Found] = {}
        if isinstance(error, Taken) and self._sheet.member is None:
            others = {
                key: found
                for key in _UNIQUE
                if key in errors and (found := await _find_holder(self._desk, key, self._edits.get(key)))
            }
        status = 409 if isinstance(error, Taken) else 422
        return await self._show(subject, status, errors=errors, notices=tuple(notices), others=others)

    async def _show(
        self,
        subject: Subject,
        status: int,
        *,
        errors: Mapping[str, str] | None = None,
        notices: tuple[str, ...] = (),
        others: Mapping[str, Found] | None = None,
    ) -> Answer:
        """The form again, on the record as it is now, with what was typed."""
        sheet = self._to_present(subject, to_body(self._desk, subject))
        editing = Editing(
            sheet,
            subject.customer.version,
            self._edits,
            errors or {},
            notices,
            self._typed,
            others or {},
            anchor=sheet.key,
        )
        return await render_page(self._desk, subject, editing, status)


async def write(desk: Desk, subject: Subject, patch: Json) -> None:
    """Change the customer by a list-aware patch, if it still is at this version; raises as `update_customer`."""
    canonical, command = desk.canonical(), desk.command(version=subject.customer.version)

    def decide(customer: Customer, catalogue: Catalogue) -> Proposal:
        proposal, ignored = canonical.propose(dict(patch), customer, catalogue, desk.hub.new_id)
        command.ignored[:] = ignored
        return proposal

    await update_customer(desk.hub, command, subject.customer.id, decide, lambda _: _DONE)


async def _remove(desk: Desk, subject: Subject, base: Subject, sheet: Sheet) -> Answer:
    """Take an address or a contact away, unless others changed it since it was looked at."""
    for _ in range(_RACES):
        body = to_body(desk, subject)
        if subject.is_deleted or find_entry(body, str(sheet.member), sheet.entry) is None:
            return to_card(desk, subject, replace(sheet, entry=None))
        if base.customer.version != subject.customer.version:
            since = await look_back(desk, base.customer, subject.customer)
            if since.touches(f"/{sheet.member}/{sheet.entry}"):
                notice = _TOUCHED.format(by=_by(since.word(f"/{sheet.member}/{sheet.entry}")))
                now = to_sheet(sheet.key, body, subject.catalogue)
                editing = Editing(now, subject.customer.version, notices=(notice,), anchor=sheet.key)
                return await render_page(desk, subject, editing, 409)
        try:
            await write(desk, subject, to_removal(sheet))
        except PreconditionFailed:
            subject = await get_subject(desk, WANTED)
        else:
            return to_card(desk, subject, replace(sheet, entry=None))
    raise Conflict("others are changing this customer all the time")


def to_card(desk: Desk, subject: Subject, sheet: Sheet) -> Answer:
    """Back to the page, where the card is."""
    anchor = sheet.member if sheet.member is not None and sheet.entry is None else f"card-{sheet.key}"
    return redirect(f"{to_path(desk, subject.customer.id)}#{anchor}")


async def _get_base(desk: Desk, subject: Subject, version: int) -> Subject:
    """The record as the form was made of it; raises NotFound and HistoryGone."""
    if version == subject.customer.version:
        return subject
    former = await get_customer_at(desk.hub, desk.caller, subject.customer.id, version)
    return Subject(former.customer, former.catalogue, subject.relatives)


def _read_version(desk: Desk, name: str) -> int:
    text = desk.form.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_VERSION):
        raise Malformed("the form does not say which version it was made of")
    return int(text)


async def _ask_again(desk: Desk, subject: Subject) -> Answer:
    """The form on the record as it is, with what was typed, where nobody knows any more what it was."""
    key, body = desk.parameter("form"), to_body(desk, subject)
    try:
        sheet = to_sheet(key, body, subject.catalogue, named_custom(desk))
    except NotFound:
        sheet = to_sheet(f"{key.partition('-')[0]}-{NEW}", body, subject.catalogue, named_custom(desk))
    typed = await read_typed(desk, sheet, to_numbers(subject))
    version = subject.customer.version
    editing = Editing(sheet, version, typed.edits(sheet), typed.errors, (_LOST,), typed, anchor=key)
    return await render_page(desk, subject, editing, 409)


async def _find_holder(desk: Desk, key: str, value: object) -> Found | None:
    """The customer that has this email address, number or reference."""
    if not isinstance(value, str):
        return None
    for one in await search_customers(desk.hub, desk.caller, value, 10):
        own = getattr(one, key)
        if own == value or (key == "email" and email_key(own) == email_key(value)):
            return one
    return None


def _by(word: Word) -> str:
    return f" by {word.who}" if word.who else ""


def _tell_gone(desk: Desk, subject: Subject) -> Answer:
    """The customer is deleted by now: what was typed is shown, so that it is not lost."""
    own = ("csrf", MARK, "version", "base", "with", "clash", "action")
    kept = [(name, value) for name, value in desk.visit.fields if value and name not in own]
    return desk.render("customer_gone.html", 409, subject=subject, tab=None, kept=kept, to_path=to_path)


SCREENS: Final[dict[str, dict[str, Screen]]] = {
    f"{PREFIX}/{{team}}/customers/{{id}}/edit/{{form}}": {
        "GET": of_customer(show_form, permission="customers:update", wanted=WANTED),
        "POST": of_customer(save, permission="customers:update", wanted=WANTED, lasting=True),
    },
}
