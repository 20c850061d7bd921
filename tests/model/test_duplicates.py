"""Keys of duplicates: the same for all spellings of one value, none for what is no value."""

import pytest
from msgspec.structs import replace

from customerhub.model.customer import Customer
from customerhub.model.duplicates import DuplicateKey, find_e164, is_matched_alike, to_duplicate_keys
from tests.support.customers import new_address, new_customer
from tests.support.strategies import START, TEAM


def customer(*places: tuple[str | None, str | None], **fields: object) -> Customer:
    """A customer with addresses of these postal codes and countries."""
    addresses = tuple(new_address(START, postal_code=code, country=country) for code, country in places)
    return new_customer(TEAM, START, addresses=addresses, **{"name": "Nordlys", **fields})


def keys(*places: tuple[str | None, str | None], **fields: object) -> set[tuple[str, str]]:
    """The keys of such a customer."""
    return {(kind, key) for kind, key in to_duplicate_keys(customer(*places, **fields))}


@pytest.mark.parametrize(
    ("one", "other", "key"),
    [
        ({"email": " Ola@Nordmann.test"}, {"email": "ola@nordmann.TEST"}, ("email", "ola@nordmann.test")),
        ({"phone": "+47 22 33 44 55"}, {"phone": "0047 22334455"}, ("phone", "+4722334455")),
        ({"tax_number": "NO 987.654-321"}, {"tax_number": "no987654321"}, ("tax_number", "no987654321")),
        ({"name": "Smith-Jones A/S"}, {"name": "SMITH  JONES AS"}, ("name_and_postal_code", "smith jones as, 0155")),
        ({"name": "Straße"}, {"name": "STRASSE"}, ("name_and_postal_code", "strasse, 0155")),
    ],
)
def test_spellings_of_one_value_share_a_key(one: dict[str, str], other: dict[str, str], key: tuple[str, str]) -> None:
    """Whoever wrote it, and however."""
    place = ("0155", "NO")
    assert key in keys(place, **one)
    assert key in keys(("01 55", "no"), **other)


@pytest.mark.parametrize("nothing", [None, "", " ", "-", "n/a", "0000000", "none"])
def test_what_is_no_value_has_no_key(nothing: str | None) -> None:
    """Customers without an email address, a number or a postal code have nothing in common by that."""
    found = keys((nothing if nothing in (None, "", " ", "-") else None, "NO"), phone=nothing, tax_number=nothing)
    assert found == set()
    if nothing is None or not nothing.strip():
        assert keys(email=nothing) == set()


def test_a_number_without_its_country_is_of_the_first_address_in_one() -> None:
    """An address without a country that has numbers of its own is passed by; without any there is no key."""
    assert keys((None, "Norway"), (None, " no "), (None, "DE"), phone="22334455") == {("phone", "+4722334455")}
    assert keys((None, "DE"), phone="030 1234567") == {("phone", "+49301234567")}
    assert keys((None, "DE"), phone="+1 (503) 555-0142") == {("phone", "+15035550142")}
    assert keys((None, "Norway"), phone="22334455") == set()
    assert keys((None, "NO"), phone="12") == set()


def test_each_postal_code_counts_once() -> None:
    """With the name, once for all addresses that share it."""
    found = keys(("0155", "NO"), ("01-55", "SE"), ("0181", None), (None, None))
    assert found == {("name_and_postal_code", "nordlys, 0155"), ("name_and_postal_code", "nordlys, 0181")}


def test_no_key_is_too_long_for_an_index() -> None:
    """Also of signs that fold into many, and of as many addresses as there are."""
    mark = "\ufdfa" * 255
    found = to_duplicate_keys(
        customer(*((f"{mark}{place}", "NO") for place in range(3)), name=mark, tax_number=mark + "1", email=mark)
    )
    assert max(len(key.key.encode()) for key in found) < 2000
    many = to_duplicate_keys(customer(*((f"{place}", "NO") for place in range(500))))
    assert len(many) == 100
    assert find_e164("1" * 5000, "NO") is None


def test_a_deleted_customer_has_none() -> None:
    """It is nobody's duplicate."""
    live = customer(("0155", "NO"), email="a@b.test")
    assert to_duplicate_keys(live) == {
        DuplicateKey("email", "a@b.test"),
        DuplicateKey("name_and_postal_code", "nordlys, 0155"),
    }
    assert to_duplicate_keys(replace(live, deleted_at=START)) == frozenset()


def test_changes_of_other_values_are_seen_at_once() -> None:
    """What is compared decides, without making any key."""
    live = customer(("0155", "NO"))
    moved = replace(live, addresses=(replace(live.addresses[0], city="Bergen"),), note="x")
    assert is_matched_alike(live, moved)
    for other in (
        replace(live, name="x"),
        replace(live, email="x"),
        replace(live, phone="x"),
        replace(live, tax_number="x"),
        replace(live, addresses=(replace(live.addresses[0], postal_code="0156"),)),
        replace(live, addresses=(replace(live.addresses[0], country="SE"),)),
    ):
        assert not is_matched_alike(live, other)
