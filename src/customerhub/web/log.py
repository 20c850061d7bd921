"""Structured logs: one line per request and per fault, as JSON or for a terminal; never a secret, a body or a query."""

import logging
import sys
from collections.abc import Iterator
from traceback import extract_tb
from typing import Final, TextIO, cast

import msgspec
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}

_SECRETS: Final = frozenset(
    ("access_token", "api_key", "authorization", "body", "cookie", "password", "query", "secret", "token")
)
# What these say is made of names in our code. The text of any other error may hold a client's values: a driver quotes
# the row that broke a rule, a validator its input.
_HARMLESS: Final = (AttributeError, ImportError, NameError, NotImplementedError)


class _StandardError:
    """Whatever standard error is when a line is written: a command may run where it has been put aside, and closed."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()

    def isatty(self) -> bool:
        return sys.stderr.isatty()


def set_up_logging(level: str = "info", log_format: str = "auto", stream: TextIO | None = None) -> None:
    """Send our lines and those of the libraries to `stream` (standard error), as the settings of these names say.

    Raises ValueError for a level or format that is none. To be called before anything takes a logger.
    """
    if level not in LEVELS or log_format not in ("auto", "json", "text"):
        raise ValueError(f"log_level is one of {', '.join(LEVELS)}, log_format one of auto, json, text")
    target = stream or cast("TextIO", _StandardError())
    is_text = log_format == "text" or (log_format == "auto" and target.isatty())
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(colors=target.isatty())
        if is_text
        else structlog.processors.JSONRenderer(serializer=_to_json)
    )
    shared: list[Processor] = [structlog.processors.add_log_level, _timestamp, _hide, _trace]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(target),
        cache_logger_on_first_use=False,
    )
    _set_up_libraries(
        LEVELS[level], target, [*shared, structlog.stdlib.ProcessorFormatter.remove_processors_meta], renderer
    )


def _set_up_libraries(level: int, target: TextIO, processors: list[Processor], renderer: Processor) -> None:
    handler = logging.StreamHandler(target)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=[*processors, renderer]))
    root = logging.getLogger()
    root.handlers = [handler]
    # Libraries tell of their work with addresses and queries in it: from them only what went wrong.
    root.setLevel(max(level, logging.WARNING))
    for name in ("customerhub", "uvicorn.error"):
        logging.getLogger(name).setLevel(level)
    # Its line per request holds the query; ours takes its place.
    logging.getLogger("uvicorn.access").disabled = True


def get_logger() -> FilteringBoundLogger:
    """A logger as set up now; kept by those who log on every request, since finding one costs more than a line."""
    logger: FilteringBoundLogger = structlog.get_logger().bind()
    return logger


_timestamp: Final = structlog.processors.TimeStamper(fmt="iso", utc=True)


def _to_json(event: EventDict, **_: object) -> str:
    return msgspec.json.encode(event, enc_hook=str).decode()


def _hide(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """Blot out what a careless line would give away."""
    for name in _SECRETS & event.keys():
        event[name] = "[hidden]"
    return event


def _trace(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    error = event.pop("exc_info", None)
    if error:
        found = error if isinstance(error, BaseException) else sys.exc_info()[1] if error is True else error[1]
        event["exception"] = to_trace(found)
    return event


def to_trace(error: BaseException | None) -> str:
    """Where an error came from: types and places of it and its causes, with the text only of those known harmless."""
    return "\n".join(line for one in _chain(error) for line in _describe(one))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The first cause first, as Python prints them; the parts of a group before the group."""
    seen: list[BaseException] = []
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if one is None or one in seen:
            continue
        seen.append(one)
        waiting.append(one.__cause__ or (None if one.__suppress_context__ else one.__context__))
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions
    return reversed(seen)


def _describe(error: BaseException) -> Iterator[str]:
    for frame in extract_tb(error.__traceback__):
        yield f"{frame.filename}:{frame.lineno} {frame.name}: {frame.line}"
    text = f": {error}" if isinstance(error, _HARMLESS) else ""
    state = getattr(error, "sqlstate", None)
    yield f"{type(error).__module__}.{type(error).__qualname__}{text}{f' (SQLSTATE {state})' if state else ''}"
