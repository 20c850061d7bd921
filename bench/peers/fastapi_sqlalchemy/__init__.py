"""A customer API as its framework's own documentation builds one: FastAPI, pydantic models, SQLAlchemy's ORM, asyncpg.

It does less than the hub: one dialect, no idempotency keys, no feed, no search. What it does is done well: prepared
statements, a pool of the right size, uvloop and httptools, no needless queries.
"""
