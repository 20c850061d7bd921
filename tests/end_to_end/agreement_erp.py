"""What the ERP's client does to customers and to what they refer to, and what the other two doors then show."""

from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.end_to_end.agreement import (
    ERP,
    ERP_ADDRESS,
    ERP_BODY,
    ERP_MOVES,
    HUB,
    PARTNER,
    POINTED,
    SHOP,
    TEXTS,
    Doors,
    Fields,
    Views,
    differing,
    moved_by,
    to_erp,
    with_customers,
    with_several,
)
from tests.support.augno import full_address_body, to_id, uuid_of
from tests.support.world import Json

ADDRESSES = "/v1/sales/addresses"
# What the ERP names that customers of other doors refer to by name.
NAMED = ("/v1/finance/payment-terms", "/v1/operations/shipping-terms", "/v1/operations/carriers")


class ErpDoors(Doors):
    """The rules of the ERP's client."""

    @with_customers
    @rule(data=st.data(), body=ERP_BODY)
    def erp_updates(self, data: st.DataObject, body: Json) -> None:
        """With references to whatever the catalogue holds just now, and with or without a rep."""
        body = body | data.draw(self.references())

        def write(customer_id: str, _: Views) -> Fields:
            self.call("PATCH", to_erp(customer_id), body, 200)
            return moved_by(body, ERP_MOVES)

        views = self.step(data, write)
        assert "name" not in body or views[SHOP]["name"] == views[PARTNER]["customer"] == body["name"]
        if "default_carrier_id" in body:
            assert views[SHOP]["shipping_method"] == views[ERP]["freight_preferences"]["carrier"]["name"]

    def references(self) -> st.SearchStrategy[Json]:
        """Members that refer to living entries; a carrier comes with one of its service levels, with none, or alone."""
        payment, shipping, carriers = map(self.rows, NAMED)
        account = self.account

        def one(rows: list[Json]) -> st.SearchStrategy[str]:
            return st.sampled_from([row["id"] for row in rows])

        limit = st.sampled_from(["1.0", "1.00", "25000.00"]).map(
            lambda value: {"value": value, "unit_id": account.unit}
        )
        return st.fixed_dictionaries(
            {},
            optional={
                "default_payment_term_id": one(payment),
                "default_shipping_term_id": one(shipping),
                "default_carrier_id": one(carriers),
                "default_service_level_id": st.none(),
                "default_sales_rep_user_id": st.none() | st.sampled_from(account.reps),
                "customer_price_group_ids": st.lists(st.sampled_from(account.pricing_groups)),
                "customer_type_group_id": st.sampled_from(account.type_groups),
                "credit_limit": st.none() | limit,
            },
        )

    @with_customers
    @rule(data=st.data())
    def erp_takes_away_the_default_rep(self, data: st.DataObject) -> None:
        """The shop's list of reps is as it was."""

        def write(customer_id: str, _: Views) -> Fields:
            self.call("PATCH", to_erp(customer_id), {"default_sales_rep_user_id": None}, 200)
            return ("default_sales_rep",)

        assert self.step(data, write)[ERP]["defaults"]["sales_rep"] is None

    @with_customers
    @rule(data=st.data(), member=st.sampled_from(["bill_to_address_id", "ship_to_address_id"]))
    def erp_points(self, data: st.DataObject, member: str) -> None:
        """At an address of the customer, or at none: the address itself stays as the shop sees it, but for its mark."""
        before: list[Json] = []

        def write(customer_id: str, views: Views) -> Fields:
            before.extend(views[SHOP]["addresses"])
            own = [to_id("ad", UUID(address["id"])) for address in before]
            self.call("PATCH", to_erp(customer_id), {member: data.draw(st.sampled_from([None, *own]))}, 200)
            return POINTED

        views = self.step(data, write)
        for old, new in zip(before, views[SHOP]["addresses"], strict=True):
            assert differing(old, new) <= {"is_default", "type", "updated_at"}
        partner = views[PARTNER][{"bill": "billingAddress", "ship": "shippingAddress"}[member[:4]]]
        assert (partner is None) <= (views[ERP][member.removesuffix("_id")] is None)

    @with_customers
    @rule(data=st.data(), body=ERP_ADDRESS)
    def erp_links_an_address(self, data: st.DataObject, body: Json) -> None:
        """One that belonged to nobody becomes the customer's, with its id, and the others show it."""
        made = self.call("POST", ADDRESSES, full_address_body(**body), 201)

        def write(customer_id: str, _: Views) -> Fields:
            self.call("PATCH", to_erp(customer_id), {"bill_to_address_id": made["id"]}, 200)
            return POINTED

        views = self.step(data, write)
        assert str(uuid_of(made["id"])) in [address["id"] for address in views[SHOP]["addresses"]]
        assert views[PARTNER]["billingAddress"]["city"] == made["geolocation"]["locality"]

    @with_customers
    @rule(data=st.data(), body=ERP_ADDRESS)
    def erp_edits_an_address(self, data: st.DataObject, body: Json) -> None:
        """By its own path, though it stands in a customer."""

        def write(customer_id: str, views: Views) -> Fields:
            if views[ERP]["ship_to_address"] is not None:
                self.call("PATCH", f"{ADDRESSES}/{views[ERP]['ship_to_address']['id']}", body, 200)
            return POINTED

        self.step(data, write)

    @rule(data=st.data(), path=st.sampled_from(NAMED), name=TEXTS)
    def erp_renames(self, data: st.DataObject, path: str, name: str) -> None:
        """Wherever it is referred to the new name is shown, and no customer has changed by it."""
        before = {one: self.views(one) for one in self.ids}
        entry = data.draw(st.sampled_from(self.own(path)))
        answer = self.ask("PATCH", f"{path}/{entry['id']}", {"name": name})
        assert answer.status_code in (200, 409), answer.text
        self.check_names_only(before)

    @rule(data=st.data(), path=st.sampled_from(NAMED))
    def erp_deletes_an_entry(self, data: st.DataObject, path: str) -> None:
        """Customers keep what they have, and every door goes on showing it."""
        if len(own := self.own(path)) < 2:
            return
        before = {one: self.views(one) for one in self.ids}
        self.call("DELETE", f"{path}/{data.draw(st.sampled_from(own))['id']}", None, 200)
        assert {one: (self.views(one)[PARTNER], self.views(one)[SHOP]) for one in before} == {
            one: (views[PARTNER], views[SHOP]) for one, views in before.items()
        }
        self.check_names_only(before)

    def rows(self, path: str) -> list[Json]:
        """The living entries, in an order that is the same in every run."""
        rows: list[Json] = self.call("GET", f"{path}?include=owner", None, 200)["data"]
        return sorted(rows, key=lambda row: str(row["name"]))

    def own(self, path: str) -> list[Json]:
        """The entries that are this team's, so that it may change them."""
        return [row for row in self.rows(path) if row["owner"]["type"] == "account"]

    def check_names_only(self, before: dict[str, Views]) -> None:
        """What customers refer to has changed, and they have not."""
        allowed: dict[str, set[str]] = {
            PARTNER: {"paymentTerm"},
            SHOP: {"payment_term", "freight_term", "shipping_method"},
            ERP: {"defaults", "freight_preferences"},
            HUB: set(),
        }
        for one, views in before.items():
            after = self.views(one)
            assert all(differing(views[door], after[door]) <= allowed[door] for door in after)

    @with_several
    @rule(data=st.data())
    def erp_merges(self, data: st.DataObject) -> None:
        """The source is gone through every door, and the target shows everywhere what it brought."""
        target, source = data.draw(st.permutations(self.ids))[:2]
        before = self.views(source)[SHOP]
        body = {"source_customer_ids": [to_id("ac", UUID(source))]}
        self.call("POST", f"{to_erp(target)}/actions/merge", body, 200)
        self.check_gone(source, is_merged=True)
        after = self.views(target)[SHOP]
        assert {rep["id"] for rep in before["assigned_sales_reps"]} <= {
            rep["id"] for rep in after["assigned_sales_reps"]
        }
        assert {one["name"] for one in before["attributes"]} <= {one["name"] for one in after["attributes"]}
