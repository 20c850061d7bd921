"""Routes: a customer is read, changed and audited in one transaction of one session."""

import hashlib
import os
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from pydantic import JsonValue
from sqlalchemy import make_url, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm.exc import StaleDataError

from bench.peers.fastapi_sqlalchemy.models import Address, ApiKey, AuditEntry, Base, Contact, Customer
from bench.peers.fastapi_sqlalchemy.schemas import AddressEdit, ContactEdit, CustomerEdit, Envelope

DATABASE_URL = "PEER_DATABASE_URL"
POOL_SIZE = "PEER_POOL_SIZE"
Change = dict[str, JsonValue]
_COLUMN_OF = {"company_name": "name"}


def make_engine(url: str, size: int) -> AsyncEngine:
    """A pool of so many connections, with prepared statements; `url` is libpq's."""
    driven = make_url(url).set(drivername="postgresql+asyncpg")
    return create_async_engine(
        driven, pool_size=size, max_overflow=0, connect_args={"prepared_statement_cache_size": 200}
    )


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    engine = make_engine(os.environ[DATABASE_URL], int(os.environ[POOL_SIZE]))
    app.state.sessions = async_sessionmaker(engine, expire_on_commit=False)
    yield
    await engine.dispose()


app = FastAPI(lifespan=_lifespan)


async def _get_session(request: Request) -> AsyncIterator[AsyncSession]:
    sessions: async_sessionmaker[AsyncSession] = request.app.state.sessions
    async with sessions() as session:
        yield session


Session = Annotated[AsyncSession, Depends(_get_session)]


async def _get_caller(session: Session, x_api_key: Annotated[str, Header()]) -> ApiKey:
    found = await session.get(ApiKey, hashlib.sha256(x_api_key.encode()).digest())
    if found is None or found.revoked_at is not None:
        raise HTTPException(401, "unknown API key")
    return found


Caller = Annotated[ApiKey, Depends(_get_caller)]


async def _find_customer(session: AsyncSession, caller: ApiKey, customer_id: UUID) -> Customer:
    query = select(Customer).where(Customer.team_id == caller.team_id, Customer.id == customer_id)
    found = (await session.execute(query)).scalar_one_or_none()
    if found is None:
        raise HTTPException(404, "no such customer")
    return found


@app.get("/health")
async def is_alive() -> dict[str, bool]:
    """Whether anybody answers."""
    return {"alive": True}


@app.get("/v1/customers/{customer_id}", response_model=Envelope)
async def get_customer(customer_id: UUID, session: Session, caller: Caller) -> dict[str, Customer]:
    """One customer."""
    return {"data": await _find_customer(session, caller, customer_id)}


@app.patch("/v1/customers/{customer_id}", response_model=Envelope, status_code=201)
async def update_customer(
    customer_id: UUID, edit: CustomerEdit, session: Session, caller: Caller
) -> dict[str, Customer]:
    """Change a customer, nested records by id; an audit entry says what changed."""
    customer = await _find_customer(session, caller, customer_id)
    now = datetime.now(UTC)
    changes = _apply(customer, edit, now)
    if changes:
        customer.updated_at = now
        entry = AuditEntry(
            team_id=customer.team_id,
            customer_id=customer.id,
            version=customer.version + 1,
            at=now,
            actor=caller.name,
            changes=changes,
        )
        session.add(entry)
        try:
            await session.commit()
        except StaleDataError as error:
            raise HTTPException(409, "somebody was faster") from error
    return {"data": customer}


def _apply(customer: Customer, edit: CustomerEdit, now: datetime) -> list[Change]:
    values = edit.model_dump(exclude_unset=True, exclude={"addresses", "contacts", "attributes"})
    changes = _set(customer, values, "")
    if edit.attributes is not None:
        changes += _set_attributes(customer, edit, now)
    for name, edits in (("addresses", edit.addresses), ("contacts", edit.contacts)):
        changes += _set_entries(getattr(customer, name), edits, name, now)
    return changes


def _set_entries(
    entries: Iterable[Address | Contact], edits: Iterable[AddressEdit | ContactEdit], name: str, now: datetime
) -> list[Change]:
    known = {entry.id: entry for entry in entries}
    changes: list[Change] = []
    for edit in edits:
        entry = known.get(edit.id)
        if entry is None:
            raise HTTPException(400, f"{name}: no entry has the id {edit.id}")
        made = _set(entry, edit.model_dump(exclude_unset=True, exclude={"id"}), f"/{name}/{edit.id}")
        if made:
            entry.updated_at = now
        changes += made
    return changes


def _set(record: Base, values: dict[str, JsonValue], path: str) -> list[Change]:
    changes: list[Change] = []
    for member, value in values.items():
        column = _COLUMN_OF.get(member, member)
        old = getattr(record, column)
        if value is not None and value != old:
            setattr(record, column, value)
            changes.append({"path": f"{path}/{column}", "old": old, "new": value})
    return changes


def _set_attributes(customer: Customer, edit: CustomerEdit, now: datetime) -> list[Change]:
    at = now.isoformat()
    known = {attribute["name"]: attribute for attribute in customer.attributes}
    after: list[Change] = []
    changes: list[Change] = []
    for wanted in edit.attributes or ():
        old = known.get(wanted.name) or {"id": str(uuid4()), "name": wanted.name, "value": None, "created_at": at}
        if old["value"] == wanted.value:
            after.append(old)
            continue
        after.append({**old, "value": wanted.value, "updated_at": at})
        changes.append({"path": f"/attributes/{wanted.name}", "old": old["value"], "new": wanted.value})
    if changes:
        customer.attributes = after
    return changes
