"""Errors of fields: their paths as text, and their order."""

from customerhub.model.error import FieldError, dotted, in_order


def at(*path: str | int) -> FieldError:
    """An error at a path; its code is the path again, to tell two of one path apart by what is added."""
    return FieldError(path, "wrong", "is wrong")


def test_paths_are_told_with_dots_and_brackets() -> None:
    """Names with dots, positions in brackets."""
    assert dotted(("addresses", 1, "attributes", 0, "value")) == "addresses[1].attributes[0].value"
    assert at("phone").dotted() == "phone"


def test_errors_stand_in_the_order_of_the_request() -> None:
    """By where each member stands in what was sent; what an object lacks stands at its end, in the order found."""
    sent = {"b": 1, "list": [{"y": 1, "x": 2}, {"x": 1}], "a": 2}
    wanted = [
        at("b"),
        at("list"),
        at("list", 0, "y"),
        at("list", 0, "x"),
        at("list", 0, "missing"),
        at("list", 1, "x"),
        at("list", 9),
        at("a"),
        at("lacking"),
        at("absent"),
        at("absent", "inside"),
    ]
    shuffled = [*wanted[8:], *wanted[:8][::-1]]
    assert in_order(shuffled, sent) == tuple(wanted)


def test_a_path_is_told_once() -> None:
    """The first error of a path is the one that is told."""
    first, second = FieldError(("a",), "one", "first"), FieldError(("a",), "two", "second")
    assert in_order([first, second], {"a": 1}) == (first,)
    assert in_order([first], None) == (first,)
    assert in_order([], {}) == ()
