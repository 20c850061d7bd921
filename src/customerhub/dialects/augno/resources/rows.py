"""The five rows of the route table that a kind of catalogue entry has."""

from customerhub.dialects.augno.models import Nothing, Page
from customerhub.dialects.augno.resources.family import Family
from customerhub.web.operation import Operation

PARTIAL = (
    "Only the members sent change; null clears where it may stand. Twice is once. What comes with every account cannot "
    "be changed."
)


def to_operations(family: Family) -> tuple[Operation, ...]:
    """List, create, get, update, delete."""
    return (_to_list(family), _to_create(family), _to_get(family), _to_update(family), _to_delete(family))


def _to_list(family: Family) -> Operation:
    # Any: the answer of a family is a type that is known to it alone.
    rows: object = Page[family.answer]  # type: ignore[name-defined]
    return Operation(
        method="GET",
        path=family.path,
        name=f"list{to_name(family.plural)}",
        summary=f"List {family.plural}",
        description=f"The newest first. {family.notes['list']}",
        handler=family.list_page,
        query=family.query,
        answer=rows,
        errors=(404,) if family.has_parent else (),
        tags=(family.tag,),
        permissions=(f"{family.resource}:read",),
    )


def _to_create(family: Family) -> Operation:
    return Operation(
        method="POST",
        path=family.path,
        name=f"create{to_name(family.noun)}",
        summary=f"Create {with_article(family.noun)}",
        handler=family.create,
        status=201,
        body=family.body,
        query=family.include_query,
        answer=family.answer,
        errors=(404, 409) if family.has_parent else (409,),
        tags=(family.tag,),
        writes=True,
        creates=True,
        permissions=(f"{family.resource}:create",),
        examples={"body": family.examples["create"]},
    )


def _to_get(family: Family) -> Operation:
    return Operation(
        method="GET",
        path=f"{family.path}/{{id}}",
        name=f"get{to_name(family.noun)}",
        summary=f"Get {with_article(family.noun)}",
        handler=family.get,
        query=family.include_query,
        answer=family.answer,
        errors=(404,),
        tags=(family.tag,),
        permissions=(f"{family.resource}:read",),
    )


def _to_update(family: Family) -> Operation:
    return Operation(
        method="PATCH",
        path=f"{family.path}/{{id}}",
        name=f"update{to_name(family.noun)}",
        summary=f"Update {with_article(family.noun)}",
        description=PARTIAL,
        handler=family.update,
        body=family.edit,
        body_required=False,
        query=family.include_query,
        answer=family.answer,
        errors=(404, 409),
        tags=(family.tag,),
        writes=True,
        permissions=(f"{family.resource}:update",),
        examples={"body": family.examples["update"]},
    )


def _to_delete(family: Family) -> Operation:
    return Operation(
        method="DELETE",
        path=f"{family.path}/{{id}}",
        name=f"delete{to_name(family.noun)}",
        summary=f"Delete {with_article(family.noun)}",
        description=family.notes["delete"],
        handler=family.delete,
        answer=Nothing,
        errors=(404, 409),
        tags=(family.tag,),
        writes=True,
        takes_key=False,
        permissions=(f"{family.resource}:delete",),
    )


def to_name(noun: str) -> str:
    """`payment term` as `PaymentTerm`."""
    return "".join(word.capitalize() for word in noun.split())


def with_article(noun: str) -> str:
    """`an account group`, `a carrier`; `unit` is spoken with a consonant."""
    return f"an {noun}" if noun[0] in "aeio" else f"a {noun}"
