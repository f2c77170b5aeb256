"""Arrays by name, checked one after another, every problem kept instead of raised."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from quantleak.attacks.shadows import LARGEST


class Checks:
    """Reads arrays; what cannot be read is None, and why is in `problems`.

    Args:
        arrays: By name.
    """

    def __init__(self, arrays: Mapping[str, np.ndarray]) -> None:
        self.arrays = dict(arrays)
        self.problems: list[str] = []
        self._shapes: dict[str, tuple[int, int]] = {}

    def table(
        self, name: str, *, columns_of: str | None = None, rows_of: str | None = None, rows: bool = False
    ) -> np.ndarray | None:
        """A finite float64 array `[rows, columns]`; one without an axis of rows has one row.

        Args:
            name: Of the array; returns None if there is none.
            columns_of: A table read before that must have as many columns.
            rows_of: A table read before that must have as many rows.
            rows: Whether the axis of rows must be there.
        """
        values = self.arrays.get(name)
        if values is None:
            return None
        axes = "[models, examples]" if rows else "[examples] or [models, examples]"
        if values.dtype.kind not in "fiu":
            return self._refuse(f"{name} holds {values.dtype}; it must hold real numbers.")
        if values.ndim not in ((2,) if rows else (1, 2)) or not values.size:
            return self._refuse(f"{name} has shape {values.shape}; it must be {axes} and not empty.")
        table = np.atleast_2d(values.astype(np.float64))
        self._shapes[name] = (table.shape[0], table.shape[1])
        self._require_finite(name, values)
        for axis, other in ((1, columns_of), (0, rows_of)):
            if other in self._shapes and self._shapes[other][axis] != table.shape[axis]:
                what = ("models", "examples")[axis]
                self.problems.append(
                    f"{name} has {table.shape[axis]} {what}, {other} has {self._shapes[other][axis]}; they must agree."
                )
        return table

    def require_squares(self, names: tuple[str, ...]) -> None:
        """Refuse signals too large for a variance in the named tables, where these are."""
        for name in names:
            values = self.arrays.get(name)
            if values is None or values.dtype != np.float64:  # narrower floats do not reach so far
                continue
            huge = np.isfinite(values) & (np.abs(values) > LARGEST)
            if huge.any():
                first = tuple(int(axis[0]) for axis in huge.nonzero())
                self.problems.append(
                    f"{name} has {huge.sum()} values beyond {LARGEST:g}, the first at index {first}: np.nan_to_num "
                    "writes such for infinite ones. Compute phi from logits, or keep probabilities within [1e-12, 1 - "
                    "1e-12]."
                )

    def memberships(self, name: str, *, like: str, both: bool = True) -> np.ndarray | None:
        """A bool array of the shape of the table `like`.

        Args:
            name: Of the array; returns None if there is none.
            like: A table read before.
            both: Whether every row must have members and non-members.
        """
        values = self.arrays.get(name)
        if values is None:
            return None
        if values.dtype.kind not in "biuf" or not np.isin(values, (0, 1)).all():
            return self._refuse(f"{name} must hold True and False (or 1 and 0), got {_some(values)}.")
        if like in self.arrays and values.shape != self.arrays[like].shape:
            return self._refuse(f"{name} has shape {values.shape}, {like} has {self.arrays[like].shape}; one each.")
        member = np.atleast_2d(values.astype(np.bool_))
        if both and (lacking := np.flatnonzero(member.all(axis=-1) | ~member.any(axis=-1))).size:
            only = "members" if member[lacking[0]].any() else "non-members"
            self.problems.append(f"{name} has {only} only for target {lacking[0]}; every target needs both.")
        elif both and len(member) == 1 and min(member.sum(), (~member).sum()) < 2:
            # The strongest attack is chosen on one half of the examples and judged on the other.
            self.problems.append(f"{name} has {member.sum()} members of {member.size}; it needs 2 of both kinds.")
        return member

    def labels(self, name: str, *, like: str) -> np.ndarray | None:
        """Numbers or texts, one for each column of the table `like`."""
        values = self.arrays.get(name)
        if values is None:
            return None
        if values.dtype.kind not in "iufUSb" or values.ndim != 1:
            return self._refuse(f"{name} must hold one number or text an example, got {values.dtype} {values.shape}.")
        if like in self._shapes and len(values) != self._shapes[like][1]:
            return self._refuse(f"{name} has {len(values)} entries for {self._shapes[like][1]} examples.")
        if values.dtype.kind == "f" and np.isnan(values).any():
            return self._refuse(f"{name} has {np.isnan(values).sum()} NaN; every example needs an id.")
        return values

    def _require_finite(self, name: str, values: np.ndarray) -> None:
        bad = ~np.isfinite(values)
        if bad.any():
            first = tuple(int(axis[0]) for axis in bad.nonzero())
            place = first[0] if len(first) == 1 else first
            self.problems.append(f"{name} has {bad.sum()} NaN or infinite values, the first at index {place}.")

    def _refuse(self, problem: str) -> np.ndarray | None:
        self.problems.append(problem)
        return None


def _some(values: np.ndarray) -> str:
    return f"{values.dtype} such as {np.unique(values.ravel()[:1000].astype(str))[:4].tolist()}"
