"""How a customer comes to a record over there: found by what tells it from others, or made, and never made twice."""

import asyncio
from dataclasses import dataclass
from typing import Final

from customerhub.model.customer import email_key
from customerhub.sinks.account.known import Known
from customerhub.sinks.account.line import AccountLine
from customerhub.sinks.account.refusals import without_refused
from customerhub.web.remote import Found, Refused, Remote, RemoteError, Values, to_body

# The other side knows in a moment whether the customer is a copy that it has just made.
_PENDING_TRIES: Final = 8
_PENDING_SECONDS: Final = 0.2


@dataclass
class Linking:
    """One customer without a record yet; `left_out` gets what the other side would not take of a new one."""

    known: Known
    remote: Remote
    line: AccountLine
    left_out: dict[str, str]

    async def run(self, whole: Values, chosen: Values) -> str | None:
        """The record's id, linked; None where there is none and none is to be made. Raises RemoteError.

        `whole` are all values of the customer, `chosen` those that travel.
        """
        found = await self.find(whole)
        if found is None and self.known.now.creation is not None:
            found = await self._resend()
        if found is None and self.known.sink.config.get("creates", True):
            found = await self._make(whole, chosen)
        if found is not None:
            await self.known.set(external_id=found, creation=None)
        return found

    async def find(self, whole: Values) -> str | None:
        """A record over there that no other customer has: by a key of its own, or the only one of the very same name.

        One with an email address of its own that is not ours is somebody else, whatever it is called. Raises Refused
        where several have the name: whichever were taken might be the wrong one, and another one of the same name would
        not help.
        """
        for _ in range(_PENDING_TRIES):
            candidates = await self.remote.find(self.line, self.known.customer, whole)
            if not candidates.is_pending:
                break
            await asyncio.sleep(_PENDING_SECONDS)
        else:
            raise RemoteError("the other side is making a record here, which may be this customer's")
        if (counterpart := candidates.counterpart) is not None:
            if await self.known.is_linked(counterpart):
                raise Refused(
                    "the other side takes this for the copy of a record that belongs to another customer here"
                )
            return counterpart
        for found in candidates.certain:
            if not await self.known.is_linked(found.id):
                return found.id
        email = email_key(whole.get("email"))
        alike = [
            found.id
            for found in candidates.alike
            if not _contradicts(email, found) and not await self.known.is_linked(found.id)
        ]
        if len(alike) > 1:
            raise Refused(f"{len(alike)} records over there have this name and belong to no customer here")
        return alike[0] if alike else None

    async def _resend(self) -> str | None:
        """Ask again for what may have been made already, in the very bytes and under the very key of the first time."""
        creation = self.known.now.creation or {}
        try:
            return await self.remote.create(self.line, str(creation["body"]).encode(), str(creation["key"]))
        except Refused:
            await self.known.set(creation=None)
            return None

    async def _make(self, whole: Values, chosen: Values) -> str | None:
        """A new record; where it would take what another record has, that one, unless it is another customer's."""
        required = {name: whole[name] for name in self.remote.required if name in whole}

        async def make(values: Values) -> str:
            body = to_body(await self.remote.draft(self.line, self.known.customer, values))
            key = str(self.known.hub.new_id())
            # Text and no object: what is sent again must be the very same, to the order of its members.
            await self.known.set(creation={"key": key, "body": body.decode(), "values": whole})
            try:
                return await self.remote.create(self.line, body, key)
            except Refused as error:
                await self.known.set(creation=None)
                found = await self.find(whole) if error.fields else None
                if found is None:
                    raise
                return found

        return await without_refused({**required, **chosen}, make, self.left_out)


def _contradicts(email: str | None, found: Found) -> bool:
    theirs = email_key(found.values.get("email"))
    return email is not None and theirs is not None and theirs != email
