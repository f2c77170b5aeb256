"""The examples on which quantizers of an audit are calibrated: whose they are, how many, and which."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from quantleak.data import Dataset, Split, matching_images, membership, read_images
from quantleak.data.features import Images
from quantleak.errors import InputError
from quantleak.ptq import Procedure
from quantleak.ptq.procedure import HELD_OUT, MEMBERS, PUBLIC, SOURCES, SYNTHETIC
from quantleak.ptq.synthetic import synthetic_like
from quantleak.rng import Stream, model_stream, stream

MOST = 1024
SHARE = 4
"""By default a model is calibrated on at most one in so many of its members."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Public:
    """Public examples in the form of the audited ones.

    Attributes:
        features: `[P, ...]` float32.
        rows: `[P]`, the number of each example's row in its source, from 1.
    """

    features: np.ndarray
    rows: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Calibration:
    """The calibration examples of every model of a plan by source: all of them are functions of the plan.

    A model's rows of one source are in random order: a quantizer that reads fewer reads the first of those that another
    reads. None is in a part on which anything is evaluated but members of the model itself, and held-out ones, which
    are in a part of their own that is used for nothing else. Of this part a quantizer that reads n examples uses 2n,
    and about half of them for each model, each example for exactly half of the models, as members are: so an attack
    can be asked which examples a model was calibrated on.

    Attributes:
        seed: Of the audit.
        features: `[N, ...]` float32, as the models see them.
        parts: The split of the data set.
        member: bool `[models, pool]`.
        groups: `[N]`.
        numbers: `[N]`, the number of each example's row in the source, from 1.
        public: Public examples; none if nobody needs any.
        read: By spec of the quantizers that need data: source and number of examples.
    """

    seed: int
    features: np.ndarray
    parts: Split
    member: np.ndarray
    groups: np.ndarray
    numbers: np.ndarray
    public: Public
    read: Mapping[str, tuple[str, int]]

    def inputs(self, source: str, count: int, model: int) -> Tensor:
        """So many examples of a source for one model, `[examples, ...]`."""
        if source == SYNTHETIC:
            drawn = synthetic_like(self.features[self.parts.population], count, self._random(source, model))
            return torch.from_numpy(drawn)
        features = self.public.features if source == PUBLIC else self.features
        return torch.from_numpy(features[self.rows(source, count, model)])

    def rows(self, source: str, count: int, model: int) -> np.ndarray:
        """Positions of one model's examples in the data set, or in the public one; none where they are synthetic."""
        if source == HELD_OUT:
            return np.asarray(self.held_out_part(count)[self._halves[model, : 2 * count]])
        random = self._random(source, model)
        if source == MEMBERS:
            return np.asarray(random.permutation(self.parts.pool[self.member[model]])[:count])
        if source == PUBLIC:
            return np.asarray(random.permutation(len(self.public.features))[:count])
        return np.empty(0, dtype=np.int64)

    def held_out_part(self, count: int) -> np.ndarray:
        """The examples of the data set of which half calibrate each model."""
        return np.asarray(self._random(HELD_OUT, 0).permutation(self.parts.calibration)[: 2 * count])

    def mask(self, spec: str) -> np.ndarray | None:
        """Which examples of the pool each model was calibrated on, bool `[models, pool]`; None if on nothing.

        A single example only shows in which order layers run, and calibrates nothing.
        """
        source, count = self.read.get(spec, ("", 0))
        if count < 2:
            return None
        if source != MEMBERS:
            return np.zeros_like(self.member)
        models = range(len(self.member))
        return np.stack([np.isin(self.parts.pool, self.rows(source, count, model)) for model in models])

    def held_out(self, count: int) -> np.ndarray:
        """Which examples of the part for calibration were used for each model, bool `[models, 2 count]`."""
        return self._halves[:, : 2 * count]

    @property
    def table(self) -> pd.DataFrame:
        """One row for each (source, model, example): which data rows were read by the quantizer that reads most."""
        most: dict[str, int] = {}
        for source, count in self.read.values():
            most[source] = max(count, most.get(source, 0))
        frames = [
            pd.DataFrame({"source": source, "model": model, "row": self._numbers(source, count, model)})
            for source, count in most.items()
            for model in range(len(self.member))
        ]
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=["source", "model", "row"])

    @property
    def identity(self) -> dict[str, Any]:
        """What of the data each quantizer reads, and a digest of which rows these are."""
        total = hashlib.sha256(np.ascontiguousarray(self.public.features).tobytes())
        table = self.table
        total.update(repr(table["source"].tolist()).encode())
        total.update(table[["model", "row"]].to_numpy(dtype=np.int64).tobytes())
        return {
            "quantizers": {spec: {"source": source, "examples": count} for spec, (source, count) in self.read.items()},
            "rows": total.hexdigest(),
        }

    def _numbers(self, source: str, count: int, model: int) -> np.ndarray:
        return np.asarray((self.public.rows if source == PUBLIC else self.numbers)[self.rows(source, count, model)])

    @cached_property
    def _halves(self) -> np.ndarray:
        """Which examples of the part for calibration, in its random order, are for each model."""
        groups = self.groups[self.held_out_part(len(self.parts.calibration))]
        return membership(len(self.member), groups, int(self._random(HELD_OUT, 0, 1).integers(1 << 62)))

    def _random(self, source: str, model: int, *more: int) -> np.random.Generator:
        place = SOURCES.index(source)
        return np.random.default_rng(
            model_stream(self.seed, Stream.CALIBRATION, model, *([place] if place else []), *more)
        )


def sizes(procedures: Mapping[str, Procedure], examples: int) -> dict[str, tuple[str, int]]:
    """By spec of the procedures that need data: from where, and how many examples at most."""
    return {
        spec: (one.calibration_source, min(one.calibration_rows, examples))
        for spec, one in procedures.items()
        if one.calibration_rows
    }


def default_examples(members: int, validation: int | None) -> int:
    """How many examples a model is calibrated on: at most 1,024 and a quarter of its members.

    Args:
        members: Of the model that has fewest.
        validation: Size of the part that held-out examples are taken from; None where nobody needs any. They take at
            most half of it, twice as many as a model is calibrated on.
    """
    return max(1, min(MOST, members // SHARE, *(() if validation is None else (validation // 4,))))


def public_examples(dataset: Dataset, source: str, fit: np.ndarray, most: int, seed: int) -> Public:
    """Public images as the models of a data set see its own.

    Args:
        dataset: Of images.
        source: Folder or name of the public images; see :func:`quantleak.read_images`.
        fit: Rows of the data set on which its features are fitted.
        most: How many are kept, drawn at random.
        seed: Of the audit.

    Raises:
        InputError: No public images are named, the data set does not hold images, or some of them are in it.
    """
    own = dataset.features
    if not isinstance(own, Images):
        raise InputError(
            "Calibration on public data is for images; give --images, or calibrate with calibration=held-out."
        )
    if not source:
        raise InputError(
            "A quantizer with calibration=public needs images of another source: --set public_images=FOLDER."
        )
    shape = own.values.shape[1:]
    public = read_images(source, size=shape[1] if shape[1] == shape[2] else None)
    assert isinstance(public.features, Images)
    pixels = matching_images(public.features.values, shape)
    known = set(own.row_keys())
    shared = sum(key in known for key in Images(values=pixels).row_keys())
    if shared:
        raise InputError(
            f"{shared} of the {len(pixels)} public images of '{source}' are also in the audited data: examples that "
            "are evaluated may not calibrate. Give other public images."
        )
    drawn = np.sort(stream(seed, "public").permutation(len(pixels))[:most])
    together = Images(values=np.concatenate([own.values[fit], pixels[drawn]]))
    return Public(features=together.encode(np.arange(len(fit)))[len(fit) :], rows=public.rows[drawn])
