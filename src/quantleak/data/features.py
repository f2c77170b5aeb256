"""What the models see: columns, arrays or images, turned into float32 without looking beyond the rows given."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from quantleak.errors import InputError

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
IMAGES_AT_ONCE = 1024
"""Images that are scaled together: more would hold more memory and save no time."""


@runtime_checkable
class Features(Protocol):
    """Raw features of N examples; `Columns`, `Ready` and `Images` are the three kinds."""

    def __len__(self) -> int:
        """The number of examples, N."""

    def encode(self, fit: Ints) -> npt.NDArray[np.float32]:
        """All N examples as float32 `[N, ...]`; anything learned from data is learned on rows `fit` only."""

    def row_keys(self) -> list[bytes]:
        """One digest a row, equal exactly when the raw rows are equal."""

    def describe(self) -> str:
        """What the rows mean (names, categories, shape), as text for a digest."""

    def take(self, rows: Ints) -> Features:
        """The same features for a choice of rows."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Category:
    """A column of text.

    Args:
        name: The column's name.
        codes: int64 `[N]`, the index into `values` for each example.
        values: The distinct texts; the empty text stands for a missing cell.
    """

    name: str
    codes: Ints
    values: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Columns:
    """Columns of a table: numbers are standardised, texts become one-hot columns.

    A number x becomes `(x - m) / s` with m and s the mean and standard deviation (ddof 0) over the fitted rows, as
    `sklearn.preprocessing.StandardScaler` does; a column that is constant there becomes 0 everywhere. A text becomes
    one 0/1 column for each value seen in the fitted rows, in the order of `values`; other texts give all zeros.

    Args:
        names: Names of the numeric columns.
        numeric: float64 `[N, p]`, finite; p may be 0.
        categories: The text columns.
    """

    names: tuple[str, ...]
    numeric: Floats
    categories: tuple[Category, ...] = ()

    def __len__(self) -> int:
        """The number of examples, N."""
        return len(self.numeric)

    def encode(self, fit: Ints) -> npt.NDArray[np.float32]:
        """float32 `[N, p + one-hot columns]`.

        Raises:
            InputError: If a value is so far from the fitted rows that it overflows float32 (the column is named).
        """
        blocks = [self._standardised(fit), *(_one_hot(category, fit) for category in self.categories)]
        return np.concatenate(blocks, axis=1)

    def row_keys(self) -> list[bytes]:
        """One digest a row; the number -0.0 equals 0.0."""
        codes = [category.codes[:, None] for category in self.categories]
        bits = [(self.numeric + 0.0).view(np.int64), *codes]
        return digest_rows(np.concatenate(bits, axis=1))

    def describe(self) -> str:
        """Column names and category values."""
        return repr(("columns", self.names, [(category.name, category.values) for category in self.categories]))

    def take(self, rows: Ints) -> Columns:
        """The same columns for a choice of rows."""
        categories = tuple(Category(name=c.name, codes=c.codes[rows], values=c.values) for c in self.categories)
        return Columns(names=self.names, numeric=self.numeric[rows], categories=categories)

    def _standardised(self, fit: Ints) -> npt.NDArray[np.float32]:
        if not self.names:
            return np.zeros((len(self), 0), np.float32)
        scaled = standardise(self.numeric, fit)
        too_far = np.abs(scaled).max(axis=0) > np.finfo(np.float32).max
        if too_far.any():
            name = self.names[int(too_far.argmax())]
            raise InputError(
                f"Column {name!r} has values too far from those of the population to be scaled to float32. "
                "Transform the column (a logarithm?) or leave it out."
            )
        return scaled.astype(np.float32)


@dataclass(frozen=True, kw_only=True, eq=False)
class Ready:
    """Arrays that need no fitting: fingerprints, embeddings, images that are only divided by 255.

    Args:
        values: `[N, ...]`, kept in their own compact type.
        divisor: What the values are divided by, 255 for 8-bit images.
    """

    values: npt.NDArray[Any]
    divisor: float = 1.0

    def __len__(self) -> int:
        """The number of examples, N."""
        return len(self.values)

    def encode(self, fit: Ints) -> npt.NDArray[np.float32]:
        """float32 `[N, ...]`; `fit` is not used."""
        encoded = self.values.astype(np.float32)
        encoded /= np.float32(self.divisor)
        return encoded

    def row_keys(self) -> list[bytes]:
        """One digest a row; the number -0.0 equals 0.0."""
        rows = self.values.reshape(len(self.values), -1)
        return digest_rows(rows + 0.0 if rows.dtype.kind == "f" else rows)

    def describe(self) -> str:
        """Shape of an example, type and divisor."""
        return repr(("ready", self.values.shape[1:], str(self.values.dtype), self.divisor))

    def take(self, rows: Ints) -> Ready:
        """The same arrays for a choice of rows."""
        return Ready(values=self.values[rows], divisor=self.divisor)


@dataclass(frozen=True, kw_only=True, eq=False)
class Images:
    """Images of one size, each channel standardised.

    A pixel x becomes `(x / 255 - m) / s` with m and s the mean and standard deviation (ddof 0) of its channel over all
    pixels of the fitted rows; a channel that is constant there becomes 0 everywhere.

    Args:
        values: uint8 `[N, C, H, W]`.
    """

    values: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        """The number of examples, N."""
        return len(self.values)

    def encode(self, fit: Ints) -> npt.NDArray[np.float32]:
        """float32 `[N, C, H, W]`; beside it nothing large is held in memory."""
        tables = _channel_tables(self.values, fit)
        encoded = np.empty(self.values.shape, np.float32)
        # Only 256 values are possible, so that looking each up is as good as computing it.
        for start in range(0, len(self), IMAGES_AT_ONCE):
            some = slice(start, start + IMAGES_AT_ONCE)
            for channel, table in enumerate(tables):
                encoded[some, channel] = table[self.values[some, channel]]
        return encoded

    def row_keys(self) -> list[bytes]:
        """One digest a row."""
        return digest_rows(self.values.reshape(len(self.values), -1))

    def describe(self) -> str:
        """Shape of an image."""
        return repr(("images", self.values.shape[1:]))

    def take(self, rows: Ints) -> Images:
        """The same for a choice of rows."""
        return Images(values=self.values[rows])


def _channel_tables(values: npt.NDArray[np.uint8], fit: Ints) -> npt.NDArray[np.float32]:
    """float32 `[C, 256]`: what each value of each channel becomes."""
    if not len(fit):
        raise InputError("Scaling needs at least one row to be fitted on, got none.")
    counts = np.zeros((values.shape[1], 256))
    for start in range(0, len(fit), IMAGES_AT_ONCE):
        some = values[fit[start : start + IMAGES_AT_ONCE]]
        counts += [np.bincount(some[:, channel].ravel(), minlength=256) for channel in range(values.shape[1])]
    levels = np.arange(256) / 255
    shares = counts / counts.sum(axis=1, keepdims=True)
    centred = levels - (shares @ levels)[:, None]
    spread = np.sqrt((shares * centred**2).sum(axis=1, keepdims=True))
    varies = (counts > 0).sum(axis=1, keepdims=True) > 1
    tables: npt.NDArray[np.float32] = np.where(varies, centred / np.where(varies, spread, 1.0), 0.0).astype(np.float32)
    return tables


def standardise(values: Floats, fit: Ints) -> Floats:
    """`(x - m) / s` for each column of float64 `[N, p]`, m and s over rows `fit`; 0 where a column is constant there.

    Columns are divided by their largest magnitude first, so that squares neither overflow nor underflow.

    Example:
        >>> standardise(np.array([[0.0], [2.0], [5.0]]), np.array([0, 1])).ravel()
        array([-1.,  1.,  4.])
    """
    if not len(fit):
        raise InputError("Scaling needs at least one row to be fitted on, got none.")
    chosen = values[fit]
    varies = chosen.min(axis=0) < chosen.max(axis=0)
    magnitude = np.abs(chosen).max(axis=0)
    magnitude[magnitude == 0] = 1.0
    unit = chosen / magnitude
    spread = np.where(varies, unit.std(axis=0), 1.0)
    with np.errstate(over="ignore"):
        result: Floats = np.where(varies, (values / magnitude - unit.mean(axis=0)) / spread, 0.0)
    return result


def digest_rows(rows: npt.NDArray[Any]) -> list[bytes]:
    """A 128-bit digest of the bytes of each row of `[N, p]`."""
    return [hashlib.blake2b(row, digest_size=16).digest() for row in np.ascontiguousarray(rows)]


def _one_hot(category: Category, fit: Ints) -> npt.NDArray[np.float32]:
    seen = np.unique(category.codes[fit])
    hot: npt.NDArray[np.float32] = np.equal(category.codes[:, None], seen).astype(np.float32)
    return hot
