"""What a client of the hub's own API does to customers, and what the other doors then show."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.end_to_end.agreement import (
    CANONICAL,
    HUB,
    HUB_BODY,
    HUB_ENTRY,
    PARTNER,
    POINTED,
    SHOP,
    Fields,
    Views,
    differing,
    moved_by,
    paths_of,
    with_customers,
)
from tests.end_to_end.agreement_erp import ErpDoors
from tests.support.world import Json

# What no version has as the one before it; entries of lists have such marks of their own.
MARKS = {"version", "updated_at", "updated_by"}


def to_path(customer_id: str, beneath: str = "") -> str:
    """Where this door has a customer."""
    return paths_of(customer_id)[HUB] + beneath


def bare(view: Json) -> Json:
    """What a view says but for marks."""
    lists = {name: [{**entry, "updated_at": None} for entry in view[name]] for name in ("addresses", "contacts")}
    return {name: value for name, value in {**view, **lists}.items() if name not in MARKS}


class HubDoors(ErpDoors):
    """The rules of the hub's own API."""

    @with_customers
    @rule(data=st.data(), body=HUB_BODY)
    def hub_updates(self, data: st.DataObject, body: Json) -> None:
        """By the record's own names; the answer says what changed, and that is all that did."""
        told: list[str] = []

        def write(customer_id: str, _: Views) -> Fields:
            told.extend(self.call("PATCH", to_path(customer_id), body, 200)["changed"])
            return moved_by(body, {})

        views = self.step(data, write)
        assert {pointer.split("/")[1] for pointer in told} <= set(body)
        if "name" in body:
            assert (views[PARTNER]["customer"], views[SHOP]["name"]) == (body["name"],) * 2

    @with_customers
    @rule(data=st.data(), body=HUB_ENTRY, mode=st.sampled_from(["merge", "remove"]))
    def hub_edits_an_address(self, data: st.DataObject, body: Json, mode: str) -> None:
        """One of them, by its id; the others are as they were."""

        def write(customer_id: str, views: Views) -> Fields:
            addresses = [address["id"] for address in views[HUB]["addresses"]]
            if addresses:
                chosen = data.draw(st.sampled_from(addresses))
                item = chosen if mode == "remove" else {"id": chosen, **body}
                edit = {"addresses": {"mode": mode, "items": [item]}}
                self.call("PATCH", to_path(customer_id), edit, 200)
                left = {a["id"]: a for a in self.call("GET", to_path(customer_id), None, 200)["addresses"]}
                kept = {a["id"]: a for a in views[HUB]["addresses"] if a["id"] != chosen}
                assert {one: left[one] for one in kept} == kept
                assert (chosen in left) == (mode == "merge")
            return POINTED

        self.step(data, write)

    @with_customers
    @rule(data=st.data())
    def hub_sends_back(self, data: st.DataObject) -> None:
        """The whole record as it was read, whichever door it came through, is no change."""

        def write(customer_id: str, views: Views) -> Fields:
            told = self.call("PATCH", to_path(customer_id), views[HUB], 200)
            assert (told["customer"], told["changed"], told["ignored"]) == (views[HUB], [], [])
            return ()

        self.step(data, write)

    @with_customers
    @rule(data=st.data())
    def hub_reverts(self, data: st.DataObject) -> None:
        """To any version that it had, unless something of it is somebody else's by now, or gone."""
        former: list[Json] = []

        def write(customer_id: str, views: Views) -> Fields:
            version = data.draw(st.integers(1, views[HUB]["version"]))
            answer = self.ask("POST", to_path(customer_id, "/revert"), {"version": version})
            assert answer.status_code in (200, 409, 422), answer.text
            if answer.is_success:
                former.append(self.call("GET", to_path(customer_id, f"?as_of={version}"), None, 200))
            return CANONICAL

        after = self.step(data, write)[HUB]
        assert all(bare(after) == bare(one) for one in former)

    @with_customers
    @rule(data=st.data())
    def hub_deletes_and_restores(self, data: st.DataObject) -> None:
        """Gone through every door, and back through every door as it was."""

        def write(customer_id: str, views: Views) -> Fields:
            self.call("DELETE", to_path(customer_id), None, 200)
            assert {self.ask("GET", path).status_code for path in paths_of(customer_id).values()} == {404}
            self.call("POST", to_path(customer_id, "/restore"), None, 200)
            assert differing(views[HUB], self.call("GET", to_path(customer_id), None, 200)) <= MARKS
            return ()

        self.step(data, write)
