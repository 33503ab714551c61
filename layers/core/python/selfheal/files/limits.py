"""How much a file may unfold to, whatever its own size: what is small on disk may fill all memory."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that is read of one file.

    unfolded: bytes after decompression; cells: rows times the columns that are read; sheet: cells of the rectangle that
    a sheet fills, all of which readers hold, empty ones too; row: characters of a row of text.
    """

    unfolded: int
    rows: int
    columns: int
    cells: int
    sheet: int
    row: int


# What the labels function takes in with half its memory and a quarter of its time.
UPLOAD = Limits(unfolded=50_000_000, rows=200_000, columns=1_000, cells=2_000_000, sheet=2_000_000, row=100_000)
# What the labels function cuts into parts: a gigabyte on disk, in half of its memory and of the time that Lambda gives.
SPLIT = Limits(unfolded=1_000_000_000, rows=10_000_000, columns=1_000, cells=60_000_000, sheet=6_000_000, row=100_000)
# What somebody reads on a machine of their own.
LOCAL = Limits(
    unfolded=4_000_000_000, rows=100_000_000, columns=10_000, cells=400_000_000, sheet=20_000_000, row=2_000_000
)
