import json
import os

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from quantleak.data import from_frame, read_table
from quantleak.errors import InputError

PEOPLE = pd.DataFrame(
    {
        "age": [30, 40, 50, 60],
        "smoker": [True, False, True, False],
        "city": ["Rome", "", "<b>Oslo</b>", "Rome"],
        "sick": ["no", "yes", "no", "yes"],
    }
)
EVERY = np.arange(4)


def text(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.fixture(params=["csv", "tsv", "semicolon", "parquet", "frame"])
def people(request, tmp_path):
    if request.param == "frame":
        return from_frame(PEOPLE, "sick")
    path = tmp_path / f"people.{'csv' if request.param == 'semicolon' else request.param}"
    if request.param == "parquet":
        PEOPLE.to_parquet(path)
    else:
        PEOPLE.to_csv(path, index=False, sep={"csv": ",", "tsv": "\t", "semicolon": ";"}[request.param])
    return read_table(path, "sick")


def test_every_format_gives_the_same_data(people):
    assert people.task == "binary"
    assert people.classes == ("no", "yes")
    assert people.targets.tolist() == [0, 1, 0, 1]
    assert people.provenance.columns == ("age", "smoker", "city")
    assert people.provenance.categories == ("city",)
    assert people.features.categories[0].values == ("Rome", "", "<b>Oslo</b>")
    assert people.digest == from_frame(PEOPLE, "sick").digest
    np.testing.assert_allclose(people.encode(EVERY)[:, 2:], [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]])


def test_provenance_of_a_file_has_no_folder_and_is_json(tmp_path):
    path = text(tmp_path / "d.csv", "x,y\n1,0\n2,1\n")
    provenance = read_table(path, "y").provenance
    assert provenance.source == "d.csv"
    assert str(tmp_path) not in json.dumps(provenance.to_dict())
    assert provenance.rows_read == 2


def test_groups_are_not_features_and_equal_rows_join_them(tmp_path):
    path = text(tmp_path / "d.csv", "x,who,y\n1,a,0\n2,b,1\n3,a,0\n2,c,0\n9,c,1\n")
    dataset = read_table(path, "y", group="who")
    assert dataset.groups.tolist() == [0, 1, 0, 1, 1]
    assert dataset.provenance.columns == ("x",)


def test_chosen_columns_and_task(tmp_path):
    path = text(tmp_path / "d.csv", "a,b,c,y\n1,2,x,0\n3,4,y,1\n")
    dataset = read_table(path, "y", task="regression", columns=["c", "a"])
    assert dataset.task == "regression"
    assert dataset.provenance.columns == ("c", "a")
    assert dataset.encode(np.arange(2)).shape == (2, 3)


def test_the_index_that_pandas_writes_is_ignored_and_recorded(tmp_path):
    PEOPLE.to_csv(tmp_path / "p.csv")
    dataset = read_table(tmp_path / "p.csv", "sick")
    assert dataset.provenance.ignored == ("",)
    assert dataset.provenance.columns == ("age", "smoker", "city")


def test_a_type_that_shows_late_in_a_long_file(tmp_path):
    lines = [f"{i},{i % 2}" for i in range(200_000)]
    lines[-1] = "0.5,1"
    dataset = read_table(text(tmp_path / "d.csv", "x,y\n" + "\n".join(lines)), "y")
    assert dataset.features.numeric[-1, 0] == 0.5


def test_quotes_byte_order_marks_and_carriage_returns(tmp_path):
    dataset = read_table(text(tmp_path / "d.csv", b'\xef\xbb\xbfx,y\r\n"a, b",0\r\n"c\nd",1\r\n'), "y")
    assert dataset.features.categories[0].values == ("a, b", "c\nd")


def test_words_that_mean_missing_stay_text_in_a_column_of_text(tmp_path):
    dataset = read_table(text(tmp_path / "d.csv", "x,y\nNone,0\nNA,1\nbig,0\n"), "y")
    assert dataset.features.categories[0].values == ("None", "NA", "big")


def test_missing_text_in_parquet_is_the_empty_text(tmp_path):
    pd.DataFrame({"x": ["a", None, ""], "y": [0, 1, 0]}).to_parquet(tmp_path / "d.parquet")
    assert read_table(tmp_path / "d.parquet", "y").features.categories[0].values == ("a", "")


def test_pandas_categories_decimals_and_nullable_numbers():
    frame = pd.DataFrame(
        {
            "level": pd.Categorical(["lo", "hi", "lo"]),
            "number": pd.Categorical([3, 5, 3]),
            "flag": pd.array([True, False, True], "boolean"),
            "count": pd.array([1, 2, 3], "Int64"),
            3: [1.5, 2.5, 3.5],
            "y": [0, 1, 0],
        }
    )
    dataset = from_frame(frame, "y")
    assert dataset.features.names == ("number", "flag", "count", "3")
    assert dataset.features.categories[0].values == ("lo", "hi")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("x,y\n", "has a header but no rows"),
        ("x,x,y\n1,2,0\n", "more than one column named 'x'"),
        ("x,y\n1,0\nnan,1\n3,0\n,1\n", r"column 'x' is missing.* 2 of 4 rows \(data rows 2, 4;"),
        ("x,z,y\n1,2,0\ninf,-inf,1\n3,4,0\n", "'x' is .*infinite in 1 of 3 rows .*1 other columns"),
        ("x,y\n,0\n,1\n", "column 'x' is missing"),
        ("x,y\n1,0\n2,\n3,1\n", r"target 'y' is missing.*data rows 2;"),
        ("x,y\n1,a\n2,\n3,b\n", r"target 'y' is missing.*data rows 2;"),
        ("x,y\n1,1\n2,1\n", "only 1: there is nothing to learn"),
        ("y\n1\n0\n", "no column left for the features"),
        ("x,Y\n1,1\n2,0\n", "no column 'y' for the target. Did you mean 'Y'. It has 'x', 'Y'"),
        ("x,y\n1,0\n2\n", "cannot be read as CSV: .*Expected 2 columns, got 1"),
        ("x,y\n1,0\n2,3,4\n", "Expected 2 columns, got 3"),
        ('x,y\n1,0\n"2,1\n3,0\n4,1\n', "quote that is opened in data row 2 and never closed|Expected 2 columns"),
        ('x,y\n1,0\n2,"1\n3,0\n4,1\n', "quote that is opened in data row 2 and never closed"),
        ("x,y\n2020-01-01,0\n2020-01-02,1\n", r"'x' holds date32\[day\], neither numbers nor text"),
        (b"x,y\na,1\n\xe9,0\n", "'d.csv' is not UTF-8 text: line 3 has the byte 0xe9. It may be Latin-1"),
        (b"\xe9,y\n1,0\n2,1\n", "'d.csv' is not UTF-8 text: line 1"),
        ("x,y\n1,0\n2,1\n".encode("utf-16"), "UTF-16 text .save it as UTF-8"),
        ("x,y\n1,0\n2,1\n".encode("utf-16-le"), "by its content it is binary"),
        (b"x,y\n" + b"1,0\n" * 20_000 + b"\0,1\n", "by its content it is binary"),
        (b"", "is empty"),
        ("\n\n", "cannot be read as CSV"),
    ],
)
def test_tables_that_cannot_be_used(tmp_path, content, message):
    with pytest.raises(InputError, match=message):
        read_table(text(tmp_path / "d.csv", content), "y")


def test_only_the_first_bad_rows_are_listed(tmp_path):
    path = text(tmp_path / "d.csv", "x,y\n" + "".join(f"nan,{i % 2}\n" for i in range(50)) + "1,0\n")
    with pytest.raises(InputError, match=r"50 of 51 rows \(data rows 1, 2, 3, 4, 5, \.\.\.;"):
        read_table(path, "y")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": None}, "Which column of 'd.csv' is the target. Name one: 'x', 'who', 'y'"),
        ({"group": "whom"}, "no column 'whom' for the group. Did you mean 'who'"),
        ({"group": "who"}, r"group 'who' is missing in 1 of 3 rows .data rows 2;"),
        ({"columns": ["z"]}, "no column 'z' for the features"),
        ({"columns": ["x", "y"]}, "'y' is the target or the group"),
        ({"columns": []}, "no column left"),
        ({"task": "classify"}, "Unknown task 'classify'"),
    ],
)
def test_wrong_names(tmp_path, options, message):
    path = text(tmp_path / "d.csv", "x,who,y\n1,a,0\n2,,1\n3,b,0\n")
    with pytest.raises(InputError, match=message):
        read_table(path, **{"target": "y", **options})


def test_a_missing_group_number_is_refused(tmp_path):
    with pytest.raises(InputError, match="group 'who' is missing"):
        read_table(text(tmp_path / "d.csv", "x,who,y\n1,7,0\n2,,1\n"), "y", group="who")


def test_a_column_of_identifiers_is_no_category(tmp_path):
    content = "name,y\n" + "".join(f"person {i},{i % 2}\n" for i in range(200))
    with pytest.raises(InputError, match="'name' has 200 different texts such as 'person 0' in 200 rows"):
        read_table(text(tmp_path / "d.csv", content), "y")
    assert len(read_table(text(tmp_path / "e.csv", content.replace("name", "x,name").replace("person", "1,")), "y")) > 0


def test_nested_columns_are_refused(tmp_path):
    pd.DataFrame({"x": [[1], [2]], "y": [0, 1]}).to_parquet(tmp_path / "d.parquet")
    with pytest.raises(InputError, match=r"'x' holds list.*neither numbers nor text"):
        read_table(tmp_path / "d.parquet", "y")


def test_parquet_damaged_in_the_middle(tmp_path):
    path = tmp_path / "d.parquet"
    PEOPLE.to_parquet(path)
    raw = path.read_bytes()
    path.write_bytes(raw[:4] + bytes(len(raw) - 12) + raw[-8:])
    with pytest.raises(InputError, match=r"'d.parquet' cannot be read as PARQUET"):
        read_table(path, "sick")


def test_a_frame_of_mixed_values_or_repeated_names():
    with pytest.raises(InputError, match="Column 'x' of 'frame' is a column of mixed values"):
        from_frame(pd.DataFrame({"x": [1, "a"], "y": [0, 1]}), "y")
    with pytest.raises(InputError, match="more than one column named 'x'"):
        from_frame(pd.DataFrame([[1, 2, 0]], columns=["x", "x", "y"]), "y")


def test_control_characters_in_names_are_not_printed_raw(tmp_path):
    with pytest.raises(InputError) as caught:
        read_table(text(tmp_path / "d.csv", "\x1b[31mx,z\n1,0\n2,1\n"), "y")
    assert "\x1b" not in str(caught.value)


def test_a_group_that_is_nan_in_parquet_is_missing(tmp_path):
    table = pa.table({"x": [1.0, 2.0, 3.0], "who": pa.array([1.0, float("nan"), 2.0]), "y": [0, 1, 0]})
    pq.write_table(table, tmp_path / "d.parquet")
    with pytest.raises(InputError, match="'who' is missing in 1 of 3 rows"):
        read_table(tmp_path / "d.parquet", "y", group="who")


def numbers(path, cells, header="x;y"):
    """A semicolon file of these cells and two classes."""
    return text(path, f"{header}\n" + "".join(f"{cell};{i % 2}\n" for i, cell in enumerate(cells)))


def test_few_decimal_commas_give_the_numbers_that_points_give(tmp_path):
    points = [str(i) if i % 20 else f"{i}.25" for i in range(200)]
    commas = [cell.replace(".", ",") for cell in points]
    dataset = read_table(numbers(tmp_path / "d.csv", commas), "y")
    assert dataset.digest == read_table(numbers(tmp_path / "e.csv", points), "y").digest
    assert dataset.features.numeric[:, 0].tolist() == [float(cell) for cell in points]
    assert dataset.provenance.notes == ("column 'x' is text and was read as numbers with decimal commas",)
    assert dataset.provenance.categories == ()


@pytest.mark.parametrize("marker", ["?", "-", " ", "None", "#REF!", "."])
def test_a_marker_of_missing_numbers_is_refused_with_its_rows(tmp_path, marker):
    cells = [marker if i in (4, 60) else f"{i / 7:.3f}" for i in range(100)]
    with pytest.raises(
        InputError, match=r"Column 'x' holds numbers, except for such as .* 2 of 100 rows .data rows 5, 61;"
    ):
        read_table(numbers(tmp_path / "d.csv", cells), "y")


def test_points_that_may_part_thousands_are_refused_where_another_column_has_decimal_commas(tmp_path):
    path = text(tmp_path / "d.csv", "x;z;y\n3,14;1.234;0\n2;5;1\n")
    with pytest.raises(
        InputError, match=r"'x' of 'd.csv' has decimal commas, and column 'z' has numbers such as '1.234'"
    ):
        read_table(path, "y")
    path = text(tmp_path / "d.csv", "x;z;y\n3,14;1.234;0\n2;1.5;1\n")
    assert read_table(path, "y").features.numeric.tolist() == [[3.14, 1.234], [2, 1.5]]
    path = text(tmp_path / "d.csv", "z;y\n1.234;0,5\n2;1\n3;7\n")
    with pytest.raises(InputError, match="'y' of 'd.csv' has decimal commas"):
        read_table(path, "y")


def test_texts_of_parquet_are_numbers_unless_they_are_codes_or_declared_categories(tmp_path):
    frame = pd.DataFrame({"n": ["1.5", "2"], "zip": ["02139", "10115"], "level": ["1", "2"], "y": [0, 1]})
    frame = frame.astype({"level": "category"})
    frame.to_parquet(tmp_path / "d.parquet")
    for dataset in (read_table(tmp_path / "d.parquet", "y"), from_frame(frame, "y")):
        assert dataset.features.names == ("n",)
        assert dataset.provenance.categories == ("zip", "level")


def test_texts_that_stand_for_nothing_are_noted(tmp_path):
    dataset = read_table(text(tmp_path / "d.csv", "x,y\nNA,0\n,1\nbig,0\n,1\n"), "y")
    assert dataset.provenance.notes == (
        "'NA' of column 'x' is a category of its own, in 1 rows",
        "'an empty cell' of column 'x' is a category of its own, in 2 rows",
    )


def test_the_named_index_of_a_pandas_frame_is_no_feature(tmp_path):
    frame = PEOPLE.set_index(pd.Index([7, 3, 5, 9], name="patient"))
    frame.to_parquet(tmp_path / "d.parquet")
    dataset = read_table(tmp_path / "d.parquet", "sick")
    assert dataset.provenance.columns == ("age", "smoker", "city")
    assert dataset.provenance.ignored == ("patient",) == from_frame(frame, "sick").provenance.ignored
    assert read_table(tmp_path / "d.parquet", "sick", group="patient").provenance.ignored == ()
    assert read_table(tmp_path / "d.parquet", "sick", columns=["patient"]).features.names == ("patient",)


@pytest.mark.parametrize("name", ["", "Unnamed: 0", "Unnamed: 0.1", "__index_level_0__", "index", "level_0"])
def test_an_index_without_a_name_is_no_feature(tmp_path, name):
    frame = PEOPLE.assign(**{name: range(4)})
    frame.to_csv(tmp_path / "d.csv", index=False)
    for dataset in (read_table(tmp_path / "d.csv", "sick"), from_frame(frame, "sick")):
        assert dataset.provenance.columns == ("age", "smoker", "city")
        assert dataset.provenance.ignored == (name,)
    if name in ("index", "level_0"):
        assert name in from_frame(frame.assign(**{name: 5}), "sick").provenance.columns


@pytest.mark.parametrize(
    "metadata", [b"", b"[", b"[]", b"3", b'{"index_columns": 3}', b'{"index_columns": [{}, 3]}', b"[" * 9999]
)
def test_what_pandas_records_of_an_index_is_not_trusted(tmp_path, metadata):
    table = pa.table({"x": [1.0, 2.0], "y": [0, 1]}).replace_schema_metadata({b"pandas": metadata})
    pq.write_table(table, tmp_path / "d.parquet")
    assert read_table(tmp_path / "d.parquet", "y").features.names == ("x",)


def test_names_of_columns_that_are_no_texts():
    numbered = from_frame(pd.DataFrame([[1.5, 0, 7], [2.5, 1, 8]]), 1, group=2)
    assert (numbered.provenance.target, numbered.provenance.columns, numbered.provenance.group) == ("1", ("0",), "2")
    levels = pd.MultiIndex.from_tuples([("dose", "mean"), ("dose", "std"), ("sick", "")])
    frame = pd.DataFrame([[1.5, 2, 0], [2.5, 3, 1]], columns=levels)
    assert from_frame(frame, ("sick", "")).provenance.columns == ("dose.mean", "dose.std")
    assert from_frame(frame, "sick", columns=[("dose", "std")]).provenance.columns == ("dose.std",)
    with pytest.raises(InputError, match="more than one column named '1'"):
        from_frame(pd.DataFrame([[1, 2, 0], [2, 1, 1]], columns=[1, "1", "y"]), "y")


def test_repeated_rows_and_contradictions_are_counted(tmp_path):
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(1000, 3)), columns=["a", "b", "c"])
    frame["y"] = np.arange(1000) % 2
    again = frame.iloc[:70].copy()
    again.loc[again.index[:20], "y"] ^= 1
    everything = pd.concat([frame, again])
    everything.to_parquet(tmp_path / "d.parquet")
    for dataset in (from_frame(everything, "y"), read_table(tmp_path / "d.parquet", "y")):
        provenance = dataset.provenance
        assert (provenance.rows_read, provenance.duplicates_removed) == (1070, 0)
        assert (provenance.repeated, provenance.conflicts) == (70, 20)


def test_semicolons_win_over_a_comma_in_a_name(tmp_path):
    path = text(tmp_path / "d.csv", 'dose, mg;"a,b,c,d";age;y\n1;2;3;0\n4;5;6;1\n')
    assert read_table(path, "y").provenance.columns == ("dose, mg", "a,b,c,d", "age")


def test_texts_of_parquet_that_are_no_utf_8_are_refused(tmp_path):
    broken = pa.array([b"\xff", b"a"], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"x": broken, "y": [0, 1]}), tmp_path / "d.parquet")
    with pytest.raises(InputError, match="cannot be read as PARQUET: .*UTF"):
        read_table(tmp_path / "d.parquet", "y")


def test_a_name_that_is_no_text_can_be_written_down(tmp_path):
    path = tmp_path / os.fsdecode(b"d\xff.csv")
    assert read_table(text(path, "x,y\n1,0\n2,1\n"), "y").name == "d?.csv"


@pytest.mark.parametrize(
    "column", [[1j, 2j], [object(), object()], [{1}, {2}], [b"a", "b"], ["\ud800", "b"], [2**70, 1.5]]
)
def test_columns_that_arrow_lacks_are_refused_by_name(column):
    with pytest.raises(InputError, match="Column 'x'|different texts"):
        from_frame(pd.DataFrame({"x": pd.Series(column, dtype=object), "y": [0, 1]}), "y")
