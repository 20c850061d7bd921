"""Query parameters of COUNT lists."""

from typing import ClassVar

from customerhub.core.lists import Order
from customerhub.web import query

ORDERS: dict[str, Order] = {
    "customer": "name",
    "email": "email",
    "createdAt": "created_at",
    "updatedAt": "updated_at",
}


class QueryReader(query.QueryReader):
    """The common reader in COUNT's words."""

    words: ClassVar[query.Words] = query.Words(
        out_of_range="out_of_range",
        not_a_choice="invalid_enum",
        too_long="too_long",
        one_of="must be {}",
        between_choices=" or ",
    )
