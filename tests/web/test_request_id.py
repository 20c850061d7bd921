"""Names of requests."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from customerhub.web.request_id import to_request_id, to_request_number

TIMES = st.datetimes(datetime(1970, 1, 2), datetime(9999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - naive by rule


def test_the_name_holds_time_and_randomness() -> None:
    """26 characters: 48 bits of milliseconds, 80 random ones."""

    def name(now: datetime, randomness: UUID) -> str:
        return to_request_id(to_request_number(now, randomness))

    start = datetime(1970, 1, 1, tzinfo=UTC)
    assert name(start, UUID(int=0)) == "req_" + "0" * 26
    assert name(start, UUID(int=31)) == "req_" + "0" * 25 + "z"
    assert name(start + timedelta(milliseconds=1), UUID(int=0)) == "req_0000000001" + "0" * 16
    assert name(start, UUID(int=2**128 - 1)) == "req_0000000000" + "z" * 16


@given(TIMES, TIMES, st.uuids(), st.uuids())
def test_later_requests_sort_later(first: datetime, second: datetime, one: UUID, other: UUID) -> None:
    """Sorting names sorts requests, to the millisecond."""
    if int(first.timestamp() * 1000) < int(second.timestamp() * 1000):
        assert to_request_id(to_request_number(first, one)) < to_request_id(to_request_number(second, other))
