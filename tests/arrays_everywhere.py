"""Runs public functions on every form of arrays and prints those that give neither the right number nor advice.

    python tests/arrays_everywhere.py

A script, so that the functions run without the type checks of the tests, as a user runs them.
"""

from __future__ import annotations

import json
import sys
import warnings

import numpy as np
import torch

import quantleak as ql
from quantleak import theory
from quantleak.quantizers import Codebook
from quantleak.theory import exact
from quantleak.trajectory import Trajectory

random = np.random.default_rng(0)
LOSSES = random.integers(0, 9, (4, 12)) / 4  # exact in every float
MEMBER = (np.arange(6)[:, None] + np.arange(8)) % 2 == 0
SIGNALS = random.integers(-8, 9, (6, 8)) / 2
WEIGHT = random.integers(-8, 9, (3, 5)) / 4
P = np.array([0.25, 0.25, 0.5])
exact_mis = exact.erm_mis(LOSSES[:, :3], P, 3)


def backwards(x):
    return np.ascontiguousarray(x[::-1])[::-1]


def swapped(x):
    return x.astype(x.dtype.newbyteorder(">"))


def apart(x):
    return np.repeat(x, 2, axis=-1)[..., ::2]


def read_only(x):
    x = x.copy()
    x.flags.writeable = False
    return x


def trajectory(x):
    found = Trajectory(1, lambda elements: torch.as_tensor(elements)[:, :1] - torch.arange(4.0))
    found.update(x)
    return found.elements


def of_losses(x):
    seen = Trajectory(1, lambda elements: x)
    seen.update(torch.arange(4.0)[None, :, None])
    return seen.rates()[0].r_q.value


def tracked(x):
    model = torch.nn.Linear(1, 1)
    tracker = ql.TrajectoryTracker(quantizers=["uniform:4"], loss=lambda outputs, targets: x[0])
    tracker.update(model, [(torch.zeros(12, 1), torch.zeros(12))])
    return tracker.compute()["uniform:4"].means.tolist()


FORMS = {
    "plain": lambda x: x,
    "list": lambda x: x.tolist(),
    "tuple of rows": lambda x: tuple(x) if x.ndim > 1 else tuple(x.tolist()),
    "backwards": backwards,
    "big-endian": swapped,
    "big-endian and backwards": lambda x: swapped(backwards(x)),
    "Fortran order": np.asfortranarray,
    "not contiguous": apart,
    "read-only": read_only,
    "float16": lambda x: x.astype(np.float16),
    "float32": lambda x: x.astype(np.float32),
    "longdouble": lambda x: x.astype(np.longdouble),
    "matrix": lambda x: np.asmatrix(x) if x.ndim == 2 else x,
    "nothing masked": lambda x: np.ma.masked_array(x, False),
    "objects": lambda x: x.astype(object),
    "tensor": lambda x: torch.from_numpy(x.copy()),
    "tensor with gradients": lambda x: torch.from_numpy(x.copy()).requires_grad_(),
    "tensor of bfloat16": lambda x: torch.from_numpy(x.copy()).bfloat16(),
    "tensor of float16": lambda x: torch.from_numpy(x.copy()).half(),
    "tensor not contiguous": lambda x: torch.from_numpy(np.asfortranarray(x)),
    "list of tensors": lambda x: list(torch.from_numpy(x.copy())),
    "list of tensors with gradients": lambda x: list(torch.from_numpy(x.copy()).requires_grad_()),
    "sparse tensor": lambda x: torch.from_numpy(x.copy()).to_sparse(),
}
REFUSED = {
    "masked": lambda x: np.ma.masked_array(x, np.arange(x.size).reshape(x.shape) == 1),
    "list of masked": lambda x: list(np.ma.masked_array(x, np.arange(x.size).reshape(x.shape) == 1)),
    "complex": lambda x: x.astype(complex),
    "complex tensor": lambda x: torch.from_numpy(x.copy()).to(torch.complex64),
    "text": lambda x: x.astype(str),
    "ragged": lambda x: [*x.tolist(), x.tolist()[:1]],
    "none": lambda x: None,
    "beyond float64": lambda x: x.astype(np.longdouble) + np.longdouble("1e400"),
    "dates": lambda x: x.astype("timedelta64[s]"),
}
ALWAYS = ("plain", "list", "backwards", "big-endian", "Fortran order", "not contiguous", "read-only", "longdouble")
"""Forms that hold nothing but numbers in another layout, for which advice would be no answer."""

lira, rmia = ql.lira, ql.rmia
FUNCTIONS = {
    "privacy_rate": (LOSSES, lambda x: ql.privacy_rate(x).value),
    "cramer_rate": (LOSSES, lambda x: ql.cramer_rate(x).value),
    "finite_rate": (LOSSES, lambda x: ql.finite_rate(x, 9)),
    "erm_certificate": (LOSSES, lambda x: float(ql.erm_certificate(x, 99))),
    "certificate_start": (LOSSES, theory.certificate_start),
    "lambda_kk": (LOSSES, lambda x: theory.lambda_kk(x).tolist()),
    "fidelity, quantized": (LOSSES[0], lambda x: float(ql.fidelity(x, LOSSES[1]))),
    "fidelity, original": (LOSSES[0], lambda x: float(ql.fidelity(LOSSES[1], x))),
    "ranks": (LOSSES, lambda x: theory.ranks(x).rank.tolist()),
    "confidence_more_private": (LOSSES[0], lambda x: theory.confidence_more_private(x, LOSSES[1])),
    "erm_mis, losses": (LOSSES[:, :3], lambda x: ql.erm_mis(x, P, 3).value),
    "erm_mis, probabilities": (P, lambda x: ql.erm_mis(LOSSES[:, :3], x, 3).value),
    "Gibbs": (LOSSES[:, :3], lambda x: exact.learner_mis(exact.Gibbs(losses=x, inverse_temperature=1.0), P, 3).value),
    "population_table, losses": (LOSSES[:, :3], lambda x: exact.population_table(x, P).tolist()),
    "population_table, probabilities": (P, lambda x: exact.population_table(LOSSES[:, :3], x).tolist()),
    "attack_bound": (LOSSES[:, :3], lambda x: exact.attack_bound(exact_mis, x)),
    "Trajectory.update": (WEIGHT[None], trajectory),
    "Trajectory, losses": (LOSSES, of_losses),
    "codebook entries": (WEIGHT[0], lambda x: Codebook(entries=x).entries),
    "sign": (WEIGHT, lambda x: ql.quantizer("sign")(x).tolist()),
    "ternary": (WEIGHT, lambda x: ql.quantizer("ternary:0.5")(x).tolist()),
    "uniform": (WEIGHT, lambda x: ql.quantizer("uniform:3")(x).tolist()),
    "codebook": (WEIGHT, lambda x: ql.quantizer("codebook:2")(x).tolist()),
    "identity": (WEIGHT, lambda x: ql.quantizer("identity")(x).tolist()),
    "from_arrays, features": (LOSSES, lambda x: ql.from_arrays(x, [0, 1, 0, 1]).features.numeric.tolist()),
    "from_arrays, targets": (LOSSES[0], lambda x: ql.from_arrays(LOSSES.T, x, task="regression").targets.tolist()),
    "lira, target": (SIGNALS[0], lambda x: lira(x, SIGNALS, MEMBER).tolist()),
    "lira, shadows": (SIGNALS, lambda x: lira(SIGNALS[0], x, MEMBER).tolist()),
    "lira, member": (MEMBER * 1.0, lambda x: lira(SIGNALS[0], SIGNALS, x).tolist()),
    "rmia, target": (
        SIGNALS[0] - 9,
        lambda x: rmia(
            x, SIGNALS - 9, MEMBER, population_target=SIGNALS[0] - 9, population_shadows=SIGNALS - 9
        ).tolist(),
    ),
    "rmia, shadows": (
        SIGNALS - 9,
        lambda x: rmia(
            SIGNALS[0] - 9, x, MEMBER, population_target=SIGNALS[0] - 9, population_shadows=SIGNALS - 9
        ).tolist(),
    ),
    "rmia, population": (
        SIGNALS[0] - 9,
        lambda x: rmia(
            SIGNALS[0] - 9, SIGNALS - 9, MEMBER, population_target=x, population_shadows=SIGNALS - 9
        ).tolist(),
    ),
    "leave_one_out": (SIGNALS, lambda x: ql.leave_one_out(lira, x, x, MEMBER).tolist()),
}


def tried(function, given):
    try:
        return "value", function(given)
    except ql.InputError as error:
        return "advice", str(error)
    except Exception as error:
        return "raw", f"{type(error).__name__}: {error}"


def main():
    warnings.simplefilter("error")
    warnings.simplefilter("ignore", PendingDeprecationWarning)  # of np.matrix
    found = []
    for name, (array, function) in FUNCTIONS.items():
        right = tried(function, array)
        for form, make in (FORMS | REFUSED).items():
            kind, seen = tried(function, make(array))
            same = kind == right[0] == "value" and form in FORMS and np.allclose(seen, right[1], rtol=1e-6)
            if (name, form) == ("from_arrays, targets", "text"):
                continue  # numbers as texts are read, as from a file
            if not (same or (kind == "advice" and form not in ALWAYS)):
                found.append([name, form, kind, str(seen)[:200]])
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
