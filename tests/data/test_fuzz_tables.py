"""Tables composed at random, whole and damaged: the numbers that were written, or one `InputError`.

1,660 cases, more with QUANTLEAK_FUZZ_CASES (see CONTRIBUTING.md). Settings files are in
tests/cli/test_yaml_text.py, modules in tests/fleet/test_state.py.
"""

import csv
import io
import os
import warnings
from contextlib import suppress
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from quantleak.data import from_frame, read_table
from quantleak.errors import InputError

CASES = int(os.environ.get("QUANTLEAK_FUZZ_CASES", "2000"))
ROWS = st.integers(1, 30)
SAFE = st.floats(-1e9, 1e9).map(lambda value: round(value, 3))
WORDS = st.sampled_from(["low", "high", "größer", "NA", "", "a,b", 'say "so"', "x;y", "第一", "1st", "two\nlines", " "])
MARKERS = ("?", "-", "NA", "", "None", "#REF!", "missing", "n/a", "−", "<0.5", "1 000", "12abc", "'5")


def fuzz(share):
    """As many examples as this share of all cases, of which texts of YAML are a fifth."""
    return settings(
        max_examples=max(1, int(CASES * share)),
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
        deadline=None,
    )


def swapped(text):
    """Points for commas and commas for points."""
    return text.translate(str.maketrans(",.", ".,"))


STYLES = {
    "plain": repr,
    "comma": lambda value: swapped(repr(value)),
    "english": "{:,.2f}".format,
    "german": lambda value: swapped(f"{value:,.2f}"),
    "exponent": "{:.17e}".format,
    "padded": " {!r} ".format,
    "whole": "{:.0f}".format,
    "signed": "{:+.3f}".format,
}


def matches(dataset, numbers, texts):
    """Whether a data set holds exactly these columns of numbers and of texts."""
    assert dict(zip(dataset.features.names, dataset.features.numeric.T.tolist(), strict=True)) == numbers
    read = {c.name: [c.values[code] for code in c.codes] for c in dataset.features.categories}
    assert read == texts


def read(reader, *given):
    """The data set if it is read, and then a model can be given it or that is refused; None if it is refused."""
    try:
        dataset = reader(*given)
    except InputError:
        event("refused")
        return None
    event("read")
    every = np.arange(len(dataset))
    with suppress(InputError):
        assert np.isfinite(dataset.encode(every)).all()
        assert np.isfinite(dataset.encode_targets(every)).all()
    return dataset


def damaged(draw, raw):
    """Bytes cut short, or with some of them changed."""
    if draw(st.booleans()):
        return raw[: draw(st.integers(0, len(raw) - 1))]
    changed = bytearray(raw)
    for _ in range(draw(st.integers(1, 4))):
        changed[draw(st.integers(0, len(raw) - 1))] ^= draw(st.integers(1, 255))
    return bytes(changed)


@st.composite
def csv_files(draw):
    """Bytes of a CSV file, its columns of numbers and of texts as they were meant, and whether cells were spoilt."""
    rows = draw(ROWS)
    cells, numbers, texts, spoilt = {}, {}, {}, False
    if draw(st.booleans()):
        cells[draw(st.sampled_from(["", "Unnamed: 0", "index"]))] = [str(row) for row in range(rows)]
    for place in range(draw(st.integers(1, 4))):
        name = draw(st.sampled_from(["x", "größe", "a, b", 'the "x"', "p;q"])) + str(place)
        kind = draw(st.sampled_from([*STYLES, "text", "truth"]))
        if kind == "text":
            cells[name] = texts[name] = draw(st.lists(WORDS, min_size=rows, max_size=rows))
            continue
        if kind == "truth":
            drawn = draw(st.lists(st.booleans(), min_size=rows, max_size=rows))
            cells[name], numbers[name] = [str(value).lower() for value in drawn], [float(value) for value in drawn]
            continue
        values = draw(st.lists(SAFE, min_size=rows, max_size=rows))
        values = [round(value, {"whole": 0, "english": 2, "german": 2}.get(kind, 3)) for value in values]
        cells[name], numbers[name] = [STYLES[kind](value) for value in values], values
        # One in five: fewer, and a column may rightly be text.
        if rows >= 5 and draw(st.integers(0, 5)) == 0:
            cells[name][draw(st.integers(0, rows - 1))] = draw(st.sampled_from(MARKERS))
            spoilt = True
    cells["y"] = [draw(st.sampled_from("pq")) for _ in range(rows)]
    text = io.StringIO()
    delimiter = draw(st.sampled_from(",;\t"))
    ends = draw(st.sampled_from(["\n", "\r\n"]))
    writer = csv.writer(text, delimiter=delimiter, lineterminator=ends, quoting=draw(st.sampled_from([0, 1])))
    writer.writerows([cells, *zip(*cells.values(), strict=True)])
    encoding = draw(st.sampled_from(["utf-8"] * 6 + ["utf-8-sig", "latin-1", "utf-16"]))
    try:
        return text.getvalue().encode(encoding), numbers, texts, spoilt
    except UnicodeEncodeError:
        return text.getvalue().encode(), numbers, texts, spoilt


@fuzz(0.3)
@given(csv_files())
def test_csv(tmp_path, file):
    raw, numbers, texts, spoilt = file
    (tmp_path / "d.csv").write_bytes(raw)
    if dataset := read(read_table, tmp_path / "d.csv", "y"):
        assert not spoilt
        matches(dataset, numbers, texts)


NUMPY = ["?", "i1", "u8", ">i4", "f2", ">f4", "f8", "g", "c8", "U3", "S3", "O", "M8[D]", "m8[s]", "V4", "i4,f8"]


@st.composite
def npz_files(draw):
    """Bytes of an NPZ file, its features and targets, and whether it is damaged."""
    rows = draw(ROWS)
    shape = (rows, *draw(st.lists(st.integers(0, 3), max_size=3)))
    size = int(np.prod(shape))
    integers = np.array(draw(st.lists(st.integers(0, 100), min_size=size, max_size=size)), int).reshape(shape)
    features = integers.astype(draw(st.sampled_from(NUMPY)))
    if features.dtype.kind == "f" and size and draw(st.integers(0, 4)) == 0:
        features.flat[0] = draw(st.sampled_from([np.nan, np.inf]))
    labels = np.array(draw(st.lists(st.integers(0, 2), min_size=rows, max_size=rows)))
    targets = labels.astype(draw(st.sampled_from(NUMPY)))
    buffer = io.BytesIO()
    (np.savez, np.savez_compressed)[draw(st.booleans())](buffer, X=features, y=targets)
    whole = draw(st.booleans())
    return buffer.getvalue() if whole else damaged(draw, buffer.getvalue()), features, targets


@fuzz(0.2)
@given(npz_files())
def test_npz(tmp_path, file):
    raw, features, targets = file
    (tmp_path / "d.npz").write_bytes(raw)
    dataset = read(read_table, tmp_path / "d.npz")
    if dataset is None:
        return
    values = getattr(dataset.features, "numeric", None)
    values = dataset.features.values if values is None else values
    assert np.isfinite(features).all()
    np.testing.assert_array_equal(values.reshape(features.shape), features)
    if dataset.classes is not None:
        names = [dataset.classes[code] for code in dataset.targets]
        assert names == [str(int(t)) if targets.dtype.kind in "bifu" else str(t) for t in targets]


ARROW = [
    (pa.int8(), [1, 2]),
    (pa.uint64(), [2**53, 3]),
    (pa.float16(), [np.float16(1.5), np.float16(2)]),
    (pa.float32(), [1.5, 2.0]),
    (pa.float64(), [1e-300, 1e300]),
    (pa.bool_(), [True, False]),
    (pa.decimal128(9, 2), [Decimal("1.25"), Decimal("-3.50")]),
    (pa.decimal256(50, 2), [Decimal("1.25"), Decimal("-3.50")]),
    (pa.string(), ["a", "b"]),
    (pa.large_string(), ["a", "b"]),
    (pa.dictionary(pa.int8(), pa.string()), ["1", "2"]),
    (pa.dictionary(pa.int8(), pa.int64()), [7, 9]),
    (pa.dictionary(pa.int8(), pa.float64()), [7.5, 9.0]),
    (pa.null(), [None]),
    (pa.binary(), [b"a", b"b"]),
    (pa.date32(), [0, 1]),
    (pa.timestamp("us", tz="UTC"), [0, 1]),
    (pa.time64("us"), [0, 1]),
    (pa.duration("s"), [0, 1]),
    (pa.list_(pa.int64()), [[1], []]),
    (pa.list_(pa.list_(pa.string())), [[["a"]], []]),
    (pa.struct([("f", pa.int64())]), [{"f": 1}, {"f": 2}]),
    (pa.map_(pa.string(), pa.int64()), [[("a", 1)], []]),
]


@st.composite
def parquet_tables(draw):
    """An Arrow table, and which numbers its columns hold."""
    rows = draw(ROWS)
    columns, numbers = {}, {}
    for place in range(draw(st.integers(1, 4))):
        kind, values = draw(st.sampled_from(ARROW[:13] if draw(st.integers(0, 3)) else ARROW))
        cells = [draw(st.sampled_from(values)) for _ in range(rows)]
        if draw(st.integers(0, 9)) == 0:
            cells[draw(st.integers(0, rows - 1))] = None
        columns[f"x{place}"] = pa.array(cells, kind)
        if isinstance(values[0], int | float | Decimal | np.float16) and None not in cells:
            numbers[f"x{place}"] = [float(cell) for cell in cells]
    columns["y"] = pa.array([draw(st.sampled_from("pq")) for _ in range(rows)])
    return pa.table(columns), numbers


@fuzz(0.1)
@given(parquet_tables())
def test_parquet(tmp_path, drawn):
    table, numbers = drawn
    pq.write_table(table, tmp_path / "d.parquet")
    if dataset := read(read_table, tmp_path / "d.parquet", "y"):
        texts = {name: [cell or "" for cell in table[name].to_pylist()] for name in dataset.provenance.categories}
        matches(dataset, numbers, texts)


@fuzz(0.1)
@given(parquet_tables(), st.data())
def test_damaged_parquet(tmp_path, drawn, data):
    buffer = io.BytesIO()
    pq.write_table(drawn[0], buffer, compression=data.draw(st.sampled_from(["snappy", "gzip", "none"])))
    (tmp_path / "d.parquet").write_bytes(damaged(data.draw, buffer.getvalue()))
    read(read_table, tmp_path / "d.parquet", "y")


VALUES = st.one_of(
    st.integers(-(2**70), 2**70), st.floats(), st.booleans(), st.none(), st.text(max_size=3), st.dates(), st.binary()
)
LABELS = st.one_of(st.text(max_size=3), st.integers(), st.none(), st.tuples(st.text(max_size=2), st.integers()))
DTYPES = ["Int64", "Float32", "boolean", "string", "category", "Sparse[float]", "datetime64[ns]", "complex", "object"]


@fuzz(0.1)
@given(st.data())
def test_frames(data):
    rows = data.draw(ROWS)
    labels = data.draw(st.lists(LABELS, min_size=1, max_size=3))
    series, numbers = [], {}
    for label in labels:
        kind = data.draw(st.sampled_from(["numbers", "mixed"]))
        if kind == "numbers":
            values = data.draw(st.lists(SAFE, min_size=rows, max_size=rows))
            series.append(pd.Series(values))
            numbers[label] = values
            continue
        column = pd.Series([data.draw(VALUES) for _ in range(rows)], dtype=object)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with suppress(ValueError, TypeError, OverflowError):
                column = column.astype(data.draw(st.sampled_from(DTYPES)))
        series.append(column)
    frame = pd.concat([*series, pd.Series([data.draw(st.sampled_from("pq")) for _ in range(rows)])], axis=1)
    tuples = all(isinstance(label, tuple) for label in labels)
    frame.columns = (
        pd.MultiIndex.from_tuples([*labels, ("y", "")]) if tuples else pd.Index([*labels, "y"], dtype=object)
    )
    if dataset := read(from_frame, frame, "y"):
        found = dict(zip(dataset.features.names, dataset.features.numeric.T.tolist(), strict=True))
        for label, values in numbers.items():
            name = ".".join(str(part) for part in (label if isinstance(label, tuple) else (label,)) if str(part))
            assert name in dataset.provenance.ignored or found[name] == values


@pytest.mark.parametrize("suffix", ["csv", "npz", "parquet"])
@fuzz(0.01)
@given(raw=st.binary(max_size=200))
def test_any_bytes(tmp_path, suffix, raw):
    start = {"csv": b"x,y\n", "npz": b"PK\x03\x04", "parquet": b"PAR1"}[suffix]
    (tmp_path / f"d.{suffix}").write_bytes(start + raw + (b"PAR1" if suffix == "parquet" else b""))
    read(read_table, tmp_path / f"d.{suffix}", "y")
