import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantleak.data.numerals import read_numerals
from quantleak.errors import InputError


def read(texts, **options):
    values, codes = np.unique(texts, return_inverse=True)
    return read_numerals("Column 'x'", tuple(values.tolist()), codes, **options)


@pytest.mark.parametrize(
    ("texts", "values", "style"),
    [
        (["3,14", "2", "-1,5e3"], [3.14, 2, -1500], "numbers with decimal commas"),
        (["0,123", "1,234"], [0.123, 1.234], "numbers with decimal commas"),
        (["1.234,5", "6"], [1234.5, 6], "numbers with decimal commas"),
        (["1,234.5", "6"], [1234.5, 6], "numbers with commas between thousands"),
        (["1,234,567", "12,345"], [1234567, 12345], "numbers with commas between thousands"),
        (["1.234.567", "2"], [1234567, 2], "numbers with points between thousands"),
        ([" 7 ", "\u00a08", "+9", ".5", "1."], [7, 8, 9, 0.5, 1], "numbers"),
        (["1.234", "5.678"], [1.234, 5.678], "numbers"),
    ],
)
def test_what_can_be_read_in_one_way_is_read(texts, values, style):
    found = read(texts)
    assert found.values.tolist() == values
    assert found.style == style
    assert found.decimal_comma == ("decimal" in style or "points" in style)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["1,234", "5"], r"two ways, such as '1,234' in 1 of 2 rows \(data rows 1;.*decimal comma or a separator"),
        (["3,14", "2.5"], "can be read in two ways"),
        (["1", "2", "3", "4", "?"], r"except for such as '\?' in 1 of 5 rows \(data rows 5;.*one is missing"),
        (["1", "2", "3", "4", " "], "except for such as '' in 1 of 5 .*one is missing"),
        (["1,5", "2", "n/a", "-", "#REF!"], "except for such as 'n/a' in 3 of 5"),
        (["1", "2", "3", "4", "high"], "except for such as 'high' in 1 of 5 rows .*Write plain numbers"),
        (["<0.5", "1", "2"], "'<0.5' in 1 of 3"),
        (["5%", "7%"], "'5%' in 2 of 2"),
        (["$5", "€ 7"], "in 2 of 2"),
        (["1 234", "5 678", "1'234"], "in 3 of 3"),
        (["−5", "5"], "'−5' in 1 of 2"),
        (["٣", "4"], "'٣' in 1 of 2"),
        (["inf", "1"], "'inf' in 1 of 2"),
        (["1_000", "1"], "'1_000' in 1 of 2"),
    ],
)
def test_what_cannot_is_refused_with_row_and_advice(texts, message):
    with pytest.raises(InputError, match=rf"Column 'x' holds numbers.*{message}") as caught:
        read(texts)
    assert str(caught.value).endswith("leave the column out by naming those to use (--columns).")


@pytest.mark.parametrize(
    "texts",
    [
        ["a", "b", "1"],
        ["NA", "None", "big"],
        ["?", "?"],
        ["1.2.3", "1.2.4"],
        ["2020-01-01", "2020-01-02"],
        ["10-20", "20-30"],
        ["5 kg", "6 kg"],
        ["I", "II", "e5", "1e"],
        ["192.168.0.1", "10.0.0.1"],
    ],
)
def test_texts_are_left_alone(texts):
    assert read(texts) is None


def test_half_of_dozens_of_texts_being_numbers_is_enough():
    texts = [str(number) for number in range(30)]
    assert read([*texts, *["low"] * 31]) is None
    with pytest.raises(InputError, match="except for such as 'low' in 29 of 59"):
        read([*texts, *["low"] * 29])


@given(st.lists(st.floats(-1e12, 1e12).map(lambda value: round(value, 3)), min_size=1))
def test_both_conventions_give_the_numbers_that_were_written(numbers):
    for style, wanted in (("{:,.4f}", numbers), ("{:.4f}", numbers)):
        texts = [style.format(number) for number in numbers]
        commas = [text.translate(str.maketrans(",.", ".,")) for text in texts]
        np.testing.assert_array_equal(read(texts).values, wanted)
        np.testing.assert_array_equal(read(commas).values, wanted)
