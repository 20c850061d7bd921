"""The tables, as the ORM maps them."""

from datetime import datetime
from uuid import UUID, uuid4

from pydantic import JsonValue
from sqlalchemy import Column, DateTime, ForeignKey, Index, Table
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    type_annotation_map = {datetime: DateTime(timezone=True), list[dict[str, JsonValue]]: JSONB}  # noqa: RUF012


class Team(Base):
    __tablename__ = "team"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]


class ApiKey(Base):
    __tablename__ = "api_key"
    secret_hash: Mapped[bytes] = mapped_column(primary_key=True)
    team_id: Mapped[UUID] = mapped_column(ForeignKey("team.id"))
    name: Mapped[str]
    revoked_at: Mapped[datetime | None]


class _Dated:
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class SalesRep(_Dated, Base):
    __tablename__ = "sales_rep"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    team_id: Mapped[UUID] = mapped_column(ForeignKey("team.id"))
    email: Mapped[str]
    first_name: Mapped[str]
    last_name: Mapped[str]


class PriceList(_Dated, Base):
    __tablename__ = "price_list"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    team_id: Mapped[UUID] = mapped_column(ForeignKey("team.id"))
    reference_id: Mapped[str]
    name: Mapped[str]


class Address(_Dated, Base):
    __tablename__ = "address"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customer.id"), index=True)
    reference_id: Mapped[str]
    address_line_1: Mapped[str]
    address_line_2: Mapped[str] = mapped_column(default="")
    city: Mapped[str]
    state: Mapped[str] = mapped_column(default="")
    country: Mapped[str] = mapped_column(default="")
    zip_code: Mapped[str] = mapped_column(default="")
    first_name: Mapped[str] = mapped_column(default="")
    last_name: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    email: Mapped[str] = mapped_column(default="")
    type: Mapped[str]
    status: Mapped[str] = mapped_column(default="active")
    is_default: Mapped[bool] = mapped_column(default=False)


class Contact(_Dated, Base):
    __tablename__ = "contact"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customer.id"), index=True)
    reference_id: Mapped[str]
    first_name: Mapped[str]
    last_name: Mapped[str] = mapped_column(default="")
    email: Mapped[str]
    phone: Mapped[str] = mapped_column(default="")
    designation: Mapped[str] = mapped_column(default="")
    status: Mapped[str] = mapped_column(default="active")
    is_default: Mapped[bool] = mapped_column(default=False)


customer_sales_rep = Table(
    "customer_sales_rep",
    Base.metadata,
    Column("customer_id", ForeignKey("customer.id"), primary_key=True),
    Column("sales_rep_id", ForeignKey("sales_rep.id"), primary_key=True),
)


class Customer(_Dated, Base):
    __tablename__ = "customer"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    team_id: Mapped[UUID] = mapped_column(ForeignKey("team.id"))
    version: Mapped[int] = mapped_column()
    reference_id: Mapped[str]
    display_id: Mapped[str]
    name: Mapped[str]
    display_name: Mapped[str]
    first_name: Mapped[str]
    last_name: Mapped[str]
    phone: Mapped[str]
    email: Mapped[str]
    status: Mapped[str]
    freight_term: Mapped[str]
    shipping_method: Mapped[str]
    payment_mode: Mapped[str]
    payment_term: Mapped[str]
    price_list_id: Mapped[UUID | None] = mapped_column(ForeignKey("price_list.id"))
    attributes: Mapped[list[dict[str, JsonValue]]]

    assigned_sales_reps: Mapped[list[SalesRep]] = relationship(secondary=customer_sales_rep, lazy="selectin")
    assigned_price_list: Mapped[PriceList | None] = relationship(lazy="joined")
    addresses: Mapped[list[Address]] = relationship(
        lazy="selectin", order_by="Address.created_at, Address.id", cascade="all, delete-orphan"
    )
    contacts: Mapped[list[Contact]] = relationship(
        lazy="selectin", order_by="Contact.created_at, Contact.id", cascade="all, delete-orphan"
    )

    __table_args__ = (
        Index("customer_display_id", "team_id", "display_id", unique=True),
        Index("customer_reference_id", "team_id", "reference_id", unique=True),
        Index("customer_email", "team_id", "email", unique=True),
        Index("customer_updated", "team_id", "updated_at"),
    )
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - as the mapper wants it


class AuditEntry(Base):
    __tablename__ = "audit_entry"
    id: Mapped[int] = mapped_column(primary_key=True)
    team_id: Mapped[UUID]
    customer_id: Mapped[UUID] = mapped_column(index=True)
    version: Mapped[int]
    at: Mapped[datetime]
    actor: Mapped[str]
    changes: Mapped[list[dict[str, JsonValue]]]
