"""The demo on short files of users: the whole loop, on two thousand rows of each history at hand."""

import gzip
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pytest

from selfheal_tools.demo.run import run_demo

DATA = Path(__file__).parents[3] / "shared" / "data"
ROWS = 2_000
# The default contract describes the first one; the last two are of several classes and of numbers.
HISTORIES = {
    "gmsc": ("cs-training.csv.gz", None),
    "elec2": ("data.csv.gz", "contract.toml"),
    "hotel_bookings": ("data.csv.gz", "contract.toml"),
    "lendingclub_2007_2011": ("data.csv.gz", "contract.toml"),
    "lendingclub_2007_2011 grade": ("data.csv.gz", "contract_grade.toml"),
    "hotel_bookings adr": ("data.csv.gz", "contract_adr.toml"),
}


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("history", HISTORIES)
def test_two_thousand_rows_are_enough(history: str, tmp_path: Path):
    """The demo runs to its end, logs every answer and says why it counts as healed or not.

    elec2 turns back by itself within two thousand rows: whatever heals it there is luck. Of the
    rates of so few bookings 44 % of the squared error that was lost came back when last measured, not half.
    """
    name, contract = HISTORIES[history]
    folder = DATA / history.split(maxsplit=1)[0]
    if not folder.exists():
        pytest.skip(f"{history} isn't here")
    with gzip.open(folder / name, "rt", encoding="utf-8", newline="") as lines:
        (tmp_path / "short.csv").write_text("".join(islice(lines, ROWS + 1)), encoding="utf-8", newline="")
    outcome = run_demo(
        contract_path=folder / contract if contract else None,
        data_path=tmp_path / "short.csv",
        json_path=tmp_path / "shown.json",
        seed=0,
        keep=False,
        now=datetime.now(UTC),
    )
    assert outcome.predictions["answered"] == outcome.predictions["logged"] > ROWS / 4
    assert outcome.labels["rejected"] == 1
    assert outcome.healed or history in {"elec2", "hotel_bookings adr"}, outcome.reason
    assert outcome.reason
