"""What commands print: answers to standard output, everything else to standard error."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
import typer

from customerhub.cli.options import Choices


def show(choices: Choices, answer: object, text: str) -> None:
    """The command's answer: as JSON where that was asked, otherwise as text."""
    typer.echo(to_json(answer) if choices.as_json else text)


def to_json(answer: object) -> str:
    """JSON over several lines; ids and times as text."""
    return msgspec.json.format(msgspec.json.encode(answer, enc_hook=str), indent=2).decode()


def say(text: str) -> None:
    """Tell the person something that is not the answer."""
    typer.echo(text, err=True)


def fail(choices: Choices, sentence: str) -> None:
    """Say what went wrong; with `--json` also as the only thing on standard output."""
    say(f"customerhub: {sentence}")
    if choices.as_json:
        typer.echo(to_json({"error": sentence}))


def to_table(rows: Sequence[Mapping[str, object]], columns: Sequence[str], empty: str) -> str:
    """Rows under their titles, as wide as they are: a terminal may wrap an id, but nothing is cut off."""
    if not rows:
        return empty
    cells = [[_to_cell(row.get(column)) for column in columns] for row in rows]
    titles = [column.replace("_", " ").upper() for column in columns]
    widths = [max(map(len, column)) for column in zip(titles, *cells, strict=True)]
    return "\n".join(_to_line(line, widths) for line in (titles, *cells))


def to_lines(values: Mapping[str, object]) -> str:
    """Names and values, one a line."""
    return "\n".join(f"{name}: {_to_cell(value)}" for name, value in values.items())


def _to_cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _to_line(cells: Iterable[str], widths: Iterable[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
