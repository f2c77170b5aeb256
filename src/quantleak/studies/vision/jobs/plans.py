"""The plans of a data set: the fleet that is quantized, and the fleet of small float networks on the same members."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from quantleak.auditing.plan import Plan, make_plan
from quantleak.models import network
from quantleak.ptq import Noise
from quantleak.ptq.modules import head_of, weights_of
from quantleak.quantizers import BASELINE
from quantleak.studies.vision.jobs.rows import NOISE, Row, rows
from quantleak.studies.vision.jobs.settings import Vision, open_data


@dataclass(frozen=True, kw_only=True, eq=False)
class Plans:
    """What the jobs on one data set share.

    Attributes:
        rows: Every quantizer of the study; noise of every size among them.
        quantized: The plan of the fleet that is quantized.
        smaller: The plan of float networks that are about as large on disk as ternary ones: same members, same data.
    """

    rows: tuple[Row, ...]
    quantized: Plan
    smaller: Plan


def plans(study: Vision, name: str) -> Plans:
    """The plans on one data set.

    Raises:
        InputError: Data or settings that cannot be used.
    """
    dataset = open_data(name, study.data_dir)
    classes = len(dataset.classes or ())
    one = np.arange(1)
    shape = dataset.features.take(one).encode(one).shape[1:]
    every = rows(study, layers_of(study, shape, classes))
    main = make_plan(dataset, study.fleet(tuple(row.spec for row in every)))
    small = make_plan(dataset, replace(study.fleet((BASELINE,)), model=study.smaller))
    # One array in memory serves both.
    shared = replace(small, dataset=main.dataset, parts=main.parts, features=main.features, targets=main.targets)
    return Plans(rows=(*every, *_sizes_of_noise(main, every)), quantized=main, smaller=shared)


def layers_of(study: Vision, shape: tuple[int, ...], classes: int) -> list[str]:
    """Names of the network's layers with weights, the head last."""
    module = network(study.network, shape, classes).module(seed=0).eval()
    head = head_of(module, torch.zeros(1, *shape))
    names = list(dict.fromkeys(weight.layer for weight in weights_of(module)))
    return [name for name in names if name != head] + [name for name in names if name == head]


def _sizes_of_noise(plan: Plan, every: list[Row]) -> list[Row]:
    """Rows for the noise of other sizes, which a plan adds."""
    found = []
    asked = {row.spec: row for row in every}
    for spec, one in plan.procedures.items():
        if spec not in asked and isinstance(one, Noise):
            of = next(row for row in every if row.part == NOISE and row.spec == f"{Noise.name}:{one.quantizer}")
            found.append(replace(of, spec=spec, option=f"{one.factor:g}"))
    return found
