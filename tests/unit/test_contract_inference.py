"""A first contract for somebody's own file: what is proposed, what is left out, and that the loader takes the file."""

import gzip
import re
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal.contract import parse_contract
from selfheal.data.files import load_dataset
from selfheal.drafting import Draft, draft_contract
from selfheal.errors import DraftImpossible

END = datetime(2026, 1, 1, tzinfo=UTC)
ROWS = 400


def table(**columns) -> pd.DataFrame:
    """Two in five rows are positive; `income` says a little about it."""
    rng = np.random.default_rng(0)
    y = (np.arange(ROWS) * 7 % 5 < 2).astype(int)
    return pd.DataFrame({"income": np.round(rng.normal(y, 2, ROWS), 2), **columns, "y": y})


def drafted(folder: Path, frame: pd.DataFrame, time: str | None = None) -> Draft:
    frame.to_csv(folder / "my Data.csv", index=False)
    return draft_contract(folder / "my Data.csv", target="y", time=time)


def reason_in(draft: Draft, name: str) -> str:
    return re.search(rf"^# (?:\[features\.{name}\]|{name}:)\n?(.*)$", draft.text, re.MULTILINE)[1]


def some(*values) -> list:
    return [values[i * 13 % len(values)] for i in range(ROWS)]


def test_types_gaps_and_closed_lists_are_read_from_the_values(tmp_path: Path):
    """Each type is found, missing values make a feature nullable, and few frequent categories make a closed list."""
    frame = table(
        count=some(3, 4, 9),
        amount=some("2.0", "NA", "5.0"),
        flag=some("True", "false"),
        colour=some("red", "green"),
        zip=some("01234", "99999"),
        town=[f"town {i % 40}" for i in range(ROWS)],
    )
    features = drafted(tmp_path, frame).contract.features
    assert {name: feature.type for name, feature in features.items()} == {
        "income": "number",
        "count": "integer",
        "amount": "number",
        "flag": "boolean",
        "colour": "category",
        "zip": "category",
        "town": "category",
    }
    assert [name for name, feature in features.items() if feature.nullable] == ["amount"]
    assert features["colour"].categories == ("green", "red")
    assert features["town"].categories is None


def test_the_rarer_value_is_positive_and_a_comment_says_so(tmp_path: Path):
    """Of yes (40 %) and no the rarer one is predicted; what it is and how rare stands above it."""
    frame = table()
    frame["y"] = frame["y"].map({1: "no", 0: "yes"})
    draft = drafted(tmp_path, frame)
    assert draft.contract.model.positive_label == "no"
    assert "40.0% of the rows" in draft.text
    assert draft.contract.model.name == "my-data"


@pytest.mark.parametrize(
    ("name", "values", "reason"),
    [
        ("row", np.arange(ROWS) + 1000, "none occurs twice"),
        ("uuid", [f"{i:x}-{i * 7919 % 1013}" for i in range(ROWS)], "names the row"),
        ("comment", [f"text {i * 17 % 300}" for i in range(ROWS)], "too few rows to learn from each"),
        ("clock", np.cumsum(np.full(ROWS, 0.25)), "rises with every row"),
        ("country", ["DE"] * ROWS, "the same value"),
        ("nothing", [None] * ROWS, "empty"),
        ("opened", [f"{1 + i % 12:02d}/{1 + i % 28:02d}/2019" for i in range(ROWS)], "dates"),
        ("closed", some("Dec-2011", "Jan-2012", "Feb-2012"), "dates"),
        ("day", some(20190131, 20200229, 20210401), "dates"),
        ("size", some(1.5, float("inf")), "no type"),
        ("__row_id", some(1, 2), "rename"),
    ],
)
def test_columns_that_can_be_no_feature_are_left_out_with_the_reason(tmp_path: Path, name: str, values, reason: str):
    """Ids, clocks, constants, dates, empty, infinite and reserved columns are no features, and a comment says why."""
    draft = drafted(tmp_path, table(**{name: values}))
    assert draft.left_out == (name,)
    assert list(draft.contract.features) == ["income"]
    assert reason in reason_in(draft, name)


@pytest.mark.parametrize("kind", ["number", "valley", "category", "gaps"])
def test_a_column_that_knows_the_answer_is_left_out_whatever_its_shape(tmp_path: Path, kind: str):
    """A leak shows in a number, in one that isn't monotone, in a category and in what is missing."""
    y = table()["y"].to_numpy()
    noise = np.random.default_rng(1).random(ROWS)
    leak = {
        "number": y * 3 + noise,
        "valley": np.where(y == 1, noise, np.where(noise < 0.5, noise - 3, noise + 3)),
        "category": np.where(y == 1, "refunded", np.where(noise < 0.5, "paid", "open")),
        "gaps": np.where(y == 1, noise.round(3), np.nan),
    }[kind]
    draft = drafted(tmp_path, table(leak=leak))
    assert draft.left_out == ("leak",)
    assert "almost perfectly" in reason_in(draft, "leak")


def test_a_value_that_nearly_always_means_the_same_answer_is_kept_and_pointed_out(tmp_path: Path):
    """A category of which one value decides is no leak as a whole, but its reader is asked."""
    y = table()["y"].to_numpy()
    kind = np.where((y == 1) & (np.arange(ROWS) % 3 == 0), "void", np.where(np.arange(ROWS) % 2, "a", "b"))
    draft = drafted(tmp_path, table(kind=kind))
    assert "kind" in draft.contract.features
    assert re.search(r"100.0% of the \d+ rows with 'void' are positive", draft.text)


def test_chance_is_no_leak(tmp_path: Path):
    """With few rows of a class or many values a column of noise isn't taken to know the answer."""
    few = pd.DataFrame({"x": [5.5, 6.5, 1.5, 2.5], "y": [1, 1, 0, 0]})
    assert list(drafted(tmp_path, few).contract.features) == ["x"]
    many = table(code=[f"c{i * 31 % 150}" for i in range(ROWS)])
    assert "code" in drafted(tmp_path, many).contract.features


def test_a_left_out_column_is_taken_in_by_removing_the_comment_marks(tmp_path: Path):
    """The section that stands commented out is the right one."""
    draft = drafted(tmp_path, table(row=np.arange(ROWS)))
    text = re.sub(r"^# (?=\[features|type|# whole)", "", draft.text, flags=re.MULTILINE)
    assert parse_contract(text).features["row"].type == "integer"


def test_gzip_and_parquet_give_the_same_contract_as_csv(tmp_path: Path):
    """The three kinds of file differ in the comments' file name only."""
    frame = table(colour=some("red", "green"), flag=some(True, False), n=some(1, 2, 3))
    frame["n"] = frame["n"].astype("Int64").where(frame.index % 9 > 0)
    expected = drafted(tmp_path, frame).contract
    (tmp_path / "my Data.csv.gz").write_bytes(gzip.compress((tmp_path / "my Data.csv").read_bytes()))
    frame.to_parquet(tmp_path / "my Data.parquet")
    for name in ("my Data.csv.gz", "my Data.parquet"):
        assert draft_contract(tmp_path / name, target="y").contract == expected


def test_numbers_in_another_form_are_told(tmp_path: Path):
    """12% isn't read as a number: the reader is told how it would be."""
    draft = drafted(tmp_path, table(share=some(*[f"{i}%" for i in range(30)]), word=some("a1", "b2")))
    assert draft.text.count("written with digits and a decimal point alone they would be numbers") == 1


@pytest.mark.parametrize(
    ("separator", "price", "file"),
    [
        (",", "{:,}.50", {"thousands": ","}),
        (";", "{},5", {"separator": ";", "decimal": ","}),
        ("\t", "{:,}.5", {"separator": "\t", "thousands": ","}),
        ("|", "{}.25", {"separator": "|"}),
    ],
)
def test_how_a_file_is_written_is_told_from_it_and_stands_in_the_contract(
    tmp_path: Path, separator: str, price: str, file: dict
):
    """Separator and signs of numbers become the contract's [file] table, under which the loader reads the same file."""
    frame = table(price=[price.format(1000 + i * 7 % 401) for i in range(ROWS)])
    if file.get("decimal") == ",":
        frame["income"] = frame["income"].astype(str).str.replace(".", ",")
    frame.to_csv(tmp_path / "data.csv", index=False, sep=separator)
    draft = draft_contract(tmp_path / "data.csv", target="y")
    assert draft.contract.file.model_dump(exclude_defaults=True) == file
    assert draft.contract.features["price"].type == "number"
    assert load_dataset(tmp_path / "data.csv", draft.contract, end=END).features["price"].min() >= 1000


def test_numbers_that_may_be_read_in_two_ways_are_asked_about(tmp_path: Path):
    """1,234 is a thousand or one: the contract asks, and the column stays text until somebody has said which."""
    frame = table(price=[f"{1000 + i % 40:,}" for i in range(ROWS)], income=some(1, 2, 5))
    draft = drafted(tmp_path, frame)
    assert 'in \'price\' may be one number or another: say which by decimal = "," or decimal = "." and' in draft.text
    said = draft_contract(tmp_path / "my Data.csv", target="y", file={"thousands": ","})
    assert (said.contract.file.thousands, said.contract.features["price"].type) == (",", "integer")


def test_a_file_with_both_decimal_signs_is_pointed_out(tmp_path: Path):
    """Points in one column and commas in another: one of them stays text, and a comment says which."""
    frame = table(price=[f"{1000 + i % 40},5" for i in range(ROWS)])
    frame.to_csv(tmp_path / "data.csv", index=False, sep=";")
    text = draft_contract(tmp_path / "data.csv", target="y").text
    assert "'1000,5' in 'price' is a number by decimal = \",\" alone, and others are by decimal = \".\" alone" in text


def test_a_decimal_point_elsewhere_says_what_a_comma_is(tmp_path: Path):
    """Beside 0.25 a 1,234 can only be a thousand."""
    draft = drafted(tmp_path, table(price=[f"{1000 + i % 40:,}" for i in range(ROWS)]))
    assert draft.contract.file.thousands == ","


@pytest.mark.parametrize(
    ("day", "form"),
    [
        ("%d/%m/%Y", "%d/%m/%Y"),
        ("%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M"),
        ("%d.%m.%y %H:%M:%S", "%d.%m.%y %H:%M:%S"),
        ("%b %d, %Y", "%b %d, %Y"),
        ("%s", "epoch_seconds"),
        ("%s000", "epoch_milliseconds"),
        ("%Y-%m-%d", "iso"),
    ],
)
def test_the_format_of_times_is_told_where_only_one_reads_them(tmp_path: Path, day: str, form: str):
    """A month has more than twelve days: the file itself shows which number is which."""
    moments = pd.date_range("2026-01-01", periods=ROWS, freq="h", tz="UTC")
    draft = drafted(tmp_path, table(made=moments.strftime(day)), time="made")
    assert draft.contract.file.time_format == form
    rows = load_dataset(tmp_path / "my Data.csv", draft.contract, end=END)
    assert rows.timestamps[-1] == np.datetime64(
        "2026-01-17T15:00" if "%H" in day or "%s" in day else "2026-01-17", "us"
    )


def test_an_encoding_is_declared_with_what_to_check(tmp_path: Path):
    """Bytes that aren't UTF-8 are read as Latin-1 or as what Windows makes of it, and a word of them is shown."""
    frame = table(area=some("São Paulo", "Évora"))
    frame.to_csv(tmp_path / "data.csv", index=False, encoding="latin-1")
    draft = draft_contract(tmp_path / "data.csv", target="y")
    assert draft.contract.file.encoding == "latin-1"
    assert re.search(r"# check: not UTF-8; as latin-1 it has words such as .*(São|Évora)", draft.text)
    assert draft.contract.features["area"].categories == ("São Paulo", "Évora")
    (tmp_path / "data.csv").write_bytes((tmp_path / "data.csv").read_bytes().replace("É".encode("latin-1"), b"\x80"))
    assert draft_contract(tmp_path / "data.csv", target="y").contract.file.encoding == "cp1252"


def test_rows_without_a_label_are_left_out_of_a_draft(tmp_path: Path):
    """They are counted in a comment."""
    frame = table()
    frame["y"] = frame["y"].astype("Int64").where(frame.index % 4 > 0)
    assert "# 100 rows without a label are left out." in drafted(tmp_path, frame).text


def test_whole_numbers_beyond_what_numbers_hold_name_the_row(tmp_path: Path):
    """As numbers, ids above 2**53 would become each other; as texts none occurs twice."""
    draft = drafted(tmp_path, table(id=[str(2**60 + 7919 * i % 4001) for i in range(ROWS)]))
    assert "id" in draft.left_out
    assert "it names the row" in reason_in(draft, "id")


def test_a_column_without_a_name_is_none(tmp_path: Path):
    """The index that a table was written with, such as pandas does, is neither feature nor comment."""
    table().to_csv(tmp_path / "data.csv")
    assert "Unnamed" not in draft_contract(tmp_path / "data.csv", target="y").text


@pytest.mark.parametrize(("value", "said"), [(7, "(7)"), (-2.5, "(-2.5)"), ("x", "('x')")])
def test_a_constant_is_told_as_the_file_has_it(tmp_path: Path, value: object, said: str):
    """Not as numpy would."""
    assert said in reason_in(drafted(tmp_path, table(same=[value] * ROWS)), "same")


def test_times_are_checked_and_dates_are_offered_for_them(tmp_path: Path):
    """With --time the column is the contract's; without it the comments name a column that may be meant."""
    frame = table(made=pd.date_range("2026-01-01", periods=ROWS, freq="h").strftime("%Y-%m-%dT%H:%M:%S"))
    assert drafted(tmp_path, frame, time="made").contract.model.time_column == "made"
    assert "says when a row was made: made" in drafted(tmp_path, frame).text


@pytest.mark.parametrize(
    ("content", "target", "time", "message"),
    [
        ("a,outcome\n1,0\n2,1\n", "outcom", None, "did you mean 'outcome'"),
        ("a,b\n1,0\n2,1\n", "zzz", None, "the file has 'a', 'b'"),
        ("a,y\n1,0\n2,1\n3,2\n", "y", None, "3 values"),
        ("a,y\n" + "".join(f"{row},word{row}\n" for row in range(30)), "y", None, "too many for so few rows"),
        ("a,y\n1,0\n2,0\n", "y", None, "one value only"),
        ("a,y\n1,\n2,\n", "y", None, "empty in every row"),
        ("a,y\n", "y", None, "no rows"),
        ("", "y", None, "data.csv is empty"),
        ("a,y\n1,0,5\n2,1,5\n", "y", None, "2 row(s) can't be read; line 2: 3 cells where the header has 2 names"),
        ("a,y\n1,0\n2,1\n3,1,4,4\n", "y", None, "can't be read"),
        ("a,t,y\n1,01/02/2026,0\n2,02/03/2026,1\n", "y", "t", "by --file 'time_format=%d/%m/%Y' or --file"),
        ("a,a,y\n1,2,0\n2,3,1\n", "y", None, "several columns called 'a'"),
        ("y,z\n0,c\n1,c\n", "y", None, "no column of data.csv can be a feature"),
        ("y\n0\n1\n", "y", None, "no other columns"),
        ("a,y\n1,0\n2,1\n", "y", "t", "can't be the time column"),
        ("a,y\n1,0\n2,1\n", "y", "y", "both the target and the time column"),
        ("a,t,y\n1,5 May,0\n2,6 May,1\n", "y", "t", "not an ISO 8601 time"),
    ],
)
def test_a_file_that_allows_no_contract_is_refused_with_what_stands_in_the_way(
    tmp_path: Path, content: str, target: str, time: str | None, message: str
):
    """Every fault has its own sentence, with the names that would help."""
    (tmp_path / "data.csv").write_text(content)
    with pytest.raises(DraftImpossible, match=re.escape(message)):
        draft_contract(tmp_path / "data.csv", target=target, time=time)


@pytest.mark.parametrize("name", ["data.csv", "data.csv.gz", "data.parquet", "data.xlsx"])
def test_what_is_no_table_is_refused_by_name(tmp_path: Path, name: str):
    """Bytes that aren't what the name promises, and names that promise nothing, are no traceback."""
    (tmp_path / name).write_bytes(b"\x1f\x8b\x08\x00\xff\xfe\x00 no table \xff")
    with pytest.raises(DraftImpossible, match="data"):
        draft_contract(tmp_path / name, target="y")


def test_dates_lists_and_infinite_numbers_of_a_parquet_file_are_left_out(tmp_path: Path):
    """What no feature can hold doesn't reach the contract."""
    frame = table(
        when=pd.date_range("2026-01-01", periods=ROWS, freq="h"),
        tags=[["a"]] * ROWS,
        size=some(1.0, np.inf),
        grade=pd.Categorical(some("A", "B")),
    )
    frame.to_parquet(tmp_path / "data.parquet")
    draft = draft_contract(tmp_path / "data.parquet", target="y")
    assert draft.left_out == ("when", "tags", "size")
    assert draft.contract.features["grade"].categories == ("A", "B")


def test_numbers_in_which_nothing_divides_the_labels_have_no_ranges(tmp_path: Path):
    """Every value has both labels alike, so that a tree finds no split: the draft takes the column and asks nothing."""
    values = np.repeat(np.arange(40.0), 2) + 0.5
    labels = [0, 1] * 40
    pd.DataFrame({"x": [i % 3 for i in range(80)], "n": values, "y": labels}).to_csv(tmp_path / "d.csv", index=False)
    draft = draft_contract(tmp_path / "d.csv", target="y")
    assert "n" in draft.contract.features
    assert "is it known when a prediction is asked for?" not in draft.text


@pytest.mark.parametrize("name", ["n\0", "n" * 1001])
def test_a_column_whose_name_no_contract_can_hold_is_left_out(tmp_path: Path, name: str):
    """The draft is sound and says what to do; as the target it is refused in the same words."""
    frame = pd.DataFrame({"x": [i % 3 for i in range(60)], name: [0, 1] * 30, "y": [0, 1] * 30})
    frame.to_parquet(tmp_path / "d.parquet")
    draft = draft_contract(tmp_path / "d.parquet", target="y")
    assert draft.left_out == (name,)
    assert "a contract can't hold its name" in draft.text
    with pytest.raises(DraftImpossible, match="can't be the target: a contract can't hold its name"):
        draft_contract(tmp_path / "d.parquet", target=name)


def test_a_category_that_no_contract_can_list_keeps_the_list_open(tmp_path: Path):
    """Three values that are common enough for a closed list, one of them with a NUL."""
    frame = pd.DataFrame({"x": ["a", "b", "c\0"] * 20, "y": [0, 1] * 30})
    frame.to_parquet(tmp_path / "d.parquet")
    assert draft_contract(tmp_path / "d.parquet", target="y").contract.features["x"].categories is None


CELLS = st.one_of(
    st.integers(-(2**70), 2**70).map(str),
    st.floats().map(str),
    st.sampled_from(["", " ", "NA", "null", "None", "true", "False", "007", "1e400", "0x1F", "1_000", "2020-01-31"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
)
KINDS = [
    CELLS,
    st.integers(0, 5).map(str),
    st.sampled_from(["", "1.5", "2.0", "NA", "-3e2"]),
    st.sampled_from(["True", "false", ""]),
    st.sampled_from(["red", "green", ""]),
    st.dates().map(str),
]


@st.composite
def tables(draw) -> pd.DataFrame:
    """A column that is surely a feature, a target of two values, and up to five columns of anything."""
    rows = draw(st.integers(4, 40))
    # A header that holds a zero byte is no text.
    character = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
    names = draw(st.lists(st.text(character, min_size=1, max_size=8), max_size=5))
    names = [name for name in dict.fromkeys(map(str.strip, names)) if name and name not in {"x", "y"}]
    columns = {name: draw(st.lists(draw(st.sampled_from(KINDS)), min_size=rows, max_size=rows)) for name in names}
    return pd.DataFrame({"x": [str(i % 3) for i in range(rows)], **columns, "y": [i % 2 for i in range(rows)]})


@settings(max_examples=60)
@given(frame=tables())
def test_any_table_gives_a_contract_under_which_the_loader_takes_it(frame: pd.DataFrame):
    """Whatever the cells and names hold, the text parses and the same file loads under it with all its rows."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "data.csv")
        frame.to_csv(path, index=False)
        draft = draft_contract(path, target="y")
        assert parse_contract(draft.text) == draft.contract
        assert len(load_dataset(path, draft.contract, end=END)) == len(frame)


@pytest.mark.parametrize(
    ("values", "task", "said"),
    [
        (["A", "B", "C"], "multiclass", "Are they classes?"),
        (["1", "2", "3"], "multiclass", 'If they are numbers, write "regression"'),
        ([str(number) for number in range(40)], "regression", "all of them numbers"),
        ([f"{number}.5" for number in range(5)], "regression", "all of them numbers"),
    ],
)
def test_the_kind_of_target_is_proposed_with_its_reason(tmp_path: Path, values: list[str], task: str, said: str):
    """Few values are classes, many numbers a number, and few whole numbers are asked about; the loader accepts it."""
    rows = [f"{row % 17},{values[row % len(values)]}" for row in range(200)]
    path = tmp_path / "kinds.csv"
    path.write_text("\n".join(["x,y", *rows]))
    draft = draft_contract(path, target="y")
    assert draft.contract.model.task == task
    assert said in draft.text
    assert len(load_dataset(path, draft.contract, end=datetime(2026, 1, 1, tzinfo=UTC))) == 200
