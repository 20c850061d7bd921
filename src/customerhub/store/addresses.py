"""Addresses by themselves: those that no customer has yet, and the customer of each that has one."""

from collections.abc import Collection
from uuid import UUID

import msgspec
from asyncpg import Record
from msgspec import Struct

from customerhub.model.customer import Address
from customerhub.model.page import Position
from customerhub.store.db import Connection
from customerhub.store.queries import load_queries

QUERIES = load_queries("addresses.sql")
_decode_address = msgspec.json.Decoder(Address).decode
_encode = msgspec.json.encode


class UnownedAddress(Struct, frozen=True):
    """An address that belongs to no customer, at one version of its own."""

    address: Address
    version: int


class OwnedAddress(Struct, frozen=True):
    """An address with the customer that has it, None for none; `version` is the customer's, or else its own."""

    address: Address
    customer_id: UUID | None
    version: int


async def get_unowned(
    connection: Connection, team: UUID, address_ids: Collection[UUID], *, holds: bool = False
) -> tuple[UnownedAddress, ...]:
    """Those of the ids that are addresses of none; `holds` keeps them as they are until the transaction ends."""
    rows = await connection.fetch(QUERIES["lock_unowned" if holds else "get_unowned"], team, list(address_ids))
    return tuple(UnownedAddress(_decode_address(row[0]), row[1]) for row in rows)


async def insert_unowned(connection: Connection, team: UUID, address: Address) -> None:
    """Store a new address of none."""
    await connection.execute(QUERIES["insert_unowned"], team, address.id, _encode(address), address.created_at)


async def update_unowned(connection: Connection, team: UUID, new: UnownedAddress) -> None:
    """Store the next version of an address of none, whose row is held."""
    address = new.address
    await connection.execute(
        QUERIES["update_unowned"], team, address.id, _encode(address), new.version, address.updated_at
    )


async def delete_unowned(connection: Connection, team: UUID, address_ids: Collection[UUID]) -> None:
    """Take the rows away."""
    await connection.execute(QUERIES["delete_unowned"], team, list(address_ids))


async def find_address(connection: Connection, team: UUID, address_id: UUID) -> OwnedAddress | None:
    """The address of this id, of a live customer or of none."""
    statement, parameters = find_statement(team, address_id)
    row = await connection.fetchrow(statement, *parameters)
    return _to_owned(row) if row is not None else None


def find_statement(team: UUID, address_id: UUID) -> tuple[str, list[object]]:
    """The statement that finds an address and its parameters."""
    return QUERIES["find"], [team, address_id, _encode([{"id": address_id}])]


async def walk_addresses(
    connection: Connection, team: UUID, position: Position | None, limit: int, text: str | None = None
) -> tuple[OwnedAddress, ...]:
    """Up to `limit` addresses from `position` on, in walking order: newest first, oldest first backward.

    `text` is a part of a line of it, ignoring case; no character is a wildcard. Addresses inside customers have no
    index by time: a page looks at all of them.
    """
    if text is not None and "\0" in text:
        return ()
    statement, parameters = walk_statement(team, position, limit, text)
    return tuple(map(_to_owned, await connection.fetch(statement, *parameters)))


def walk_statement(team: UUID, position: Position | None, limit: int, text: str | None) -> tuple[str, list[object]]:
    """The statement of such a page and its parameters."""
    parameters: list[object] = [team, limit]
    owned = unowned = ""
    is_backward = position is not None and position.is_backward
    if position is not None:
        parameters += [position.at, position.id]
        side = "before" if is_backward else "after"
        owned = " " + QUERIES[f"owned_{side}"].format(at="$3", id="$4")
        unowned = " " + QUERIES[f"unowned_{side}"].format(at="$3", id="$4")
    if text is not None:
        parameters.append(text)
        place = f"${len(parameters)}"
        owned += " " + QUERIES["text"].format(address="a.value", text=place)
        unowned += " " + QUERIES["text"].format(address="u.address", text=place)
    order = "asc" if is_backward else "desc"
    return QUERIES["walk"].format(owned=owned, unowned=unowned, order=order), parameters


def _to_owned(row: Record) -> OwnedAddress:
    return OwnedAddress(_decode_address(row["address"]), row["customer"], row["version"])
