"""Files as people keep them: the same table whatever it is written in, or a refusal that says what is in the way."""

import gzip
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal.contract import default_contract, parse_contract
from selfheal.data.files import LabelledFile, read_labelled
from selfheal.errors import DataInvalid
from selfheal.tables.dataset import Dataset
from tests.support.odd_files import MARK, NOTED, READ, REFUSED, Kept, Way, example, tables

ROOT = Path(__file__).parents[2]
HISTORIES = ROOT.parent / "shared" / "data"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = ["hotel_bookings", "lendingclub_2007_2011", "elec2", "gmsc"]
ROWS = 3_000


def titled(way: Way) -> str:
    return way.title


def read(way: Way, kept: Kept) -> LabelledFile:
    with tempfile.TemporaryDirectory() as folder:
        return read_labelled(way.write(Path(folder), kept), way.contract_of(kept), end=NOW, now=NOW)


def assert_same(found: Dataset, expected: Dataset) -> None:
    pd.testing.assert_frame_equal(found.features, expected.features)
    assert found.timestamps.tolist() == expected.timestamps.tolist()
    assert found.labels.tolist() == expected.labels.tolist()
    assert found.row_ids.tolist() == expected.row_ids.tolist()


@pytest.mark.parametrize("way", READ, ids=titled)
def test_however_a_table_is_kept_it_is_the_same(way: Way):
    """Values, gaps, words for nothing, times and labels come out as from a plain file, and nothing is said of it."""
    file = read(way, example())
    assert file.rows.features["amount"].tolist()[:2] == [1234.5, 1.5]
    assert file.rows.features["plan"].tolist() == ["NA", "café", None]
    assert file.rows.features["member"].tolist() == [1.0, 0.0, 1.0]
    assert file.rows.timestamps.astype(str).tolist()[2] == "2025-02-02T07:30:00.000000"
    assert_same(file.rows, read(READ[0], example()).rows)
    assert file.notes == ()


@pytest.mark.parametrize("way", NOTED, ids=titled)
def test_what_is_left_out_or_may_surprise_is_said(way: Way):
    """The file is read, and its owner hears of it."""
    (note,) = read(way, example()).notes
    assert way.noted in note


@pytest.mark.parametrize("way", REFUSED, ids=titled)
def test_what_cannot_be_read_is_refused_with_what_to_do(way: Way):
    """Every refusal names what is wrong, where it is, and what would help."""
    with pytest.raises(DataInvalid) as raised:
        read(way, example())
    assert way.refused in str(raised.value)


def test_the_documentation_shows_what_is_read_and_what_is_refused():
    """The tables of docs/files.md are those of this file; `make files-doc` writes them anew."""
    page = (ROOT / "docs" / "files.md").read_text(encoding="utf-8")
    assert page.partition(MARK)[2] == "\n".join(tables()) + "\n"


def history(name: str) -> Kept:
    """The first rows of a real history, as texts; a category has an accent, so that encodings matter."""
    folder = HISTORIES / name
    if not folder.exists():
        pytest.skip("the shared histories aren't here")
    contract_file = folder / "contract.toml"
    contract = parse_contract(contract_file.read_text()) if contract_file.exists() else default_contract()
    (data,) = folder.glob("*.csv.gz")
    with gzip.open(data, "rt") as text:
        frame = pd.read_csv(text, dtype=str, keep_default_na=False, nrows=ROWS).astype(object)
    if contract.model.time_column not in frame:
        moments = pd.date_range("2025-01-01", periods=len(frame), freq="37min")
        frame[contract.model.time_column] = moments.strftime("%Y-%m-%dT%H:%M:%SZ")
    for feature in contract.category_features[:1]:
        frame[feature] = frame[feature].where(frame.index % 3 > 0, "café")
    needed = [*contract.feature_names, contract.model.target, contract.model.time_column]
    return Kept(frame[needed], contract)


@pytest.fixture(scope="module")
def histories() -> dict[str, Kept]:
    return {name: history(name) for name in NAMES}


@settings(max_examples=80)
@given(data=st.data())
def test_a_real_history_kept_in_an_odd_way_is_the_same_or_refused_by_name(histories: dict[str, Kept], data):
    """Any slice of any history in any way: the same Dataset, or a refusal in the words of that way."""
    name = data.draw(st.sampled_from(NAMES))
    way = data.draw(st.sampled_from(READ + SLICEABLE))
    whole = histories[name]
    start, rows = data.draw(st.integers(0, ROWS - 2)), data.draw(st.integers(2, 60))
    kept = Kept(whole.texts.iloc[start : start + rows].reset_index(drop=True), whole.contract)
    if way.refused:
        with pytest.raises(DataInvalid, match=NAMED[way.title]):
            read(way, kept)
    else:
        assert_same(read(way, kept).rows, read(READ[0], kept).rows)


# Refusals that any table meets, and the words by which each names its way.
NAMED = {
    "semicolons, undeclared": "separates its columns by ';'",
    "commas under a name of tabs": "separates its columns by ','",
    "row names in front": "cells where the header has",
    "a separator at the end of rows": "cells where the header has",
    "a zip archive of two files": "holds 2 files",
    "compressed twice": "compressed twice",
    "gzip that is cut": "can't be unfolded",
    "CSV under a name of Parquet": "no Parquet file",
    "another ending": "none of what is read",
    "a row that is cut": "cells where the header has",
}
SLICEABLE = [way for way in REFUSED if way.title in NAMED]
