"""`/v1/sales/priorities` and `/v1/sales/account-statuses`: fixed sets that come with every account."""

from collections.abc import Callable
from dataclasses import dataclass

from customerhub.core.lists import get_catalogue
from customerhub.core.system import Choice, list_account_statuses, list_priorities
from customerhub.dialects.augno.answers import Shown, respond, to_time
from customerhub.dialects.augno.ids import ACCOUNT_STATUS, PRIORITY, from_id, to_id
from customerhub.dialects.augno.include import Includes, read_includes
from customerhub.dialects.augno.models import Page
from customerhub.dialects.augno.paging import QueryReader, holds, read_page, to_scope, to_window_page
from customerhub.dialects.augno.resources.models import AccountStatus, OwnedPriority
from customerhub.dialects.augno.resources.queries import OwnedListQuery, OwnedQuery
from customerhub.dialects.augno.resources.rows import to_name, with_article
from customerhub.dialects.augno.resources.shown import to_owner
from customerhub.model.answer import Answer
from customerhub.model.catalogue import Catalogue
from customerhub.model.error import NotFound
from customerhub.model.page import window
from customerhub.web.operation import Call, Operation

_INCLUDES = ("owner", "owner.account")


@dataclass(frozen=True, kw_only=True)
class Choices:
    """A fixed set on its paths, `path` and `path/{id}`, where the code may stand for the id."""

    kind: str
    prefix: str
    plural: str
    path: str
    answer: object
    find_all: Callable[[Catalogue], tuple[Choice, ...]]

    def show(self, choice: Choice, catalogue: Catalogue, includes: Includes) -> Shown:
        """One of the set."""
        born = to_time(choice.created_at)
        return {
            "id": to_id(self.prefix, choice.id),
            "object": self.kind,
            "code": choice.code,
            "name": choice.name,
            "owner": to_owner(catalogue, includes, is_system=True),
            "created_at": born,
            "updated_at": born,
        }

    async def list_page(self, call: Call) -> Answer:
        """`GET path`: 200."""
        includes = read_includes(call.query, _INCLUDES)
        reader, scope = QueryReader(call.query), to_scope(call, self.plural)
        asked = read_page(reader, scope)
        reader.check()
        catalogue = await get_catalogue(call.hub, call.caller)
        chosen = (choice for choice in self.find_all(catalogue) if holds(asked.text, choice.code, choice.name))
        page = window(chosen, asked.position, asked.limit)
        rows = [self.show(choice, catalogue, includes) for choice in page.items]
        return respond(call, 200, to_window_page(scope, rows, page.before, page.after))

    async def get(self, call: Call) -> Answer:
        """`GET path/{id}`: 200; by id or by code."""
        includes = read_includes(call.query, _INCLUDES)
        catalogue = await get_catalogue(call.hub, call.caller)
        sent = call.path["id"]
        wanted = from_id(sent, self.prefix)
        for choice in self.find_all(catalogue):
            if sent == choice.code or wanted == choice.id:
                return respond(call, 200, self.show(choice, catalogue, includes))
        raise NotFound(self.kind, sent)

    def operations(self) -> tuple[Operation, ...]:
        """List and get."""
        noun = self.kind.replace("_", " ")
        # Any: the answer of a set is a type that is known to it alone.
        rows: object = Page[self.answer]  # type: ignore[name-defined]
        return (
            Operation(
                method="GET",
                path=self.path,
                name=f"list{to_name(self.plural)}",
                summary=f"List {self.plural}",
                description="They come with every account and cannot be changed; `q` looks into code and name.",
                handler=self.list_page,
                query=OwnedListQuery,
                answer=rows,
                tags=(self.plural.capitalize(),),
                permissions=(f"{self.plural.replace(' ', '_')}:read",),
            ),
            Operation(
                method="GET",
                path=f"{self.path}/{{id}}",
                name=f"get{to_name(noun)}",
                summary=f"Get {with_article(noun)} by id or by code",
                handler=self.get,
                query=OwnedQuery,
                answer=self.answer,
                errors=(404,),
                tags=(self.plural.capitalize(),),
                permissions=(f"{self.plural.replace(' ', '_')}:read",),
            ),
        )


PRIORITIES = Choices(
    kind="priority",
    prefix=PRIORITY,
    plural="priorities",
    path="/v1/sales/priorities",
    answer=OwnedPriority,
    find_all=list_priorities,
)
ACCOUNT_STATUSES = Choices(
    kind="account_status",
    prefix=ACCOUNT_STATUS,
    plural="account statuses",
    path="/v1/sales/account-statuses",
    answer=AccountStatus,
    find_all=list_account_statuses,
)
