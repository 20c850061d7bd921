"""The header by which two hubs that keep each other tell which of their customers are the same.

`Customerhub-Counterpart` of a request that looks for customers names the asker's own record, by the id that it has in
the asker's answers of the same dialect. That of the answer names our customer of which that record is the copy, or says
`pending` where a copy is just being made. Vendors know nothing of it, and nothing is lost then.
"""

from collections.abc import Callable
from uuid import UUID

from customerhub.core.counterparts import find_counterpart
from customerhub.model.answer import Answer
from customerhub.web.operation import Call
from customerhub.web.remote import COUNTERPART, PENDING


async def with_counterpart(call: Call, answer: Answer, to_id: Callable[[UUID], str] = str) -> Answer:
    """The answer, with the counterpart of the record that the request names, if it names one."""
    asked = call.incoming.headers.get(COUNTERPART)
    if asked is None:
        return answer
    found = await find_counterpart(call.hub, call.caller, asked)
    if found is None:
        return answer
    return answer.with_header(COUNTERPART, to_id(found) if isinstance(found, UUID) else PENDING)
