"""Lines of a CSV file (RFC 4180, with line feeds), whose cells no spreadsheet runs as formulas."""

from collections.abc import Iterable
from typing import Final

from customerhub.model.cells import guard_cell

# With what a cell begins that `guard_cell` may have something to do with.
_GUARDED: Final = frozenset("=+-@\t\r'")


def to_csv_line(cells: Iterable[str]) -> str:
    """The line of these cells, with the line feed at its end."""
    # Most cells are as they are: looking at them one by one, without a call for each, is a third of an export's time.
    return (
        ",".join(
            [
                cell
                if not cell
                or (
                    cell[0] not in _GUARDED
                    and '"' not in cell
                    and "," not in cell
                    and "\n" not in cell
                    and "\r" not in cell
                )
                else _to_cell(cell)
                for cell in cells
            ]
        )
        + "\n"
    )


def _to_cell(cell: str) -> str:
    cell = guard_cell(cell)
    if any(mark in cell for mark in '",\n\r'):
        cell = cell.replace('"', '""')
        return f'"{cell}"'
    return cell
