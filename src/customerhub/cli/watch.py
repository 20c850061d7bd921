"""Keep the hub's own PostgreSQL running while the hub serves: a server that was killed is started again."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from customerhub.embedded import Cluster, EmbeddedError
from customerhub.web.log import get_logger

_LOOK_SECONDS: Final = 0.5
_LONGEST_PAUSE: Final = 10.0


@contextmanager
def kept_running(cluster: Cluster | None) -> Iterator[None]:
    """Look twice a second, in a thread, whether the server lives; None for a server that is somebody else's."""
    if cluster is None:
        yield
        return
    done = threading.Event()
    watch = threading.Thread(target=_watch, args=(cluster, done), name="postgres", daemon=True)
    watch.start()
    try:
        yield
    finally:
        done.set()


def _watch(cluster: Cluster, done: threading.Event) -> None:
    """A failure is logged when it is new, and tried against less and less often."""
    log, pause, known = get_logger(), _LOOK_SECONDS, ""
    while not done.wait(pause):
        try:
            if cluster.ensure_running():
                log.warning("PostgreSQL had stopped and was started again")
            pause, known = _LOOK_SECONDS, ""
        except EmbeddedError as error:
            if str(error) != known and not done.is_set():
                known = str(error)
                log.error("PostgreSQL is down", reason=known)  # noqa: TRY400 - the sentence says it, a trace would not
            pause = min(pause * 2, _LONGEST_PAUSE)
