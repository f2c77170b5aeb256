"""`ql.quantize`: one call from a trained module to a quantized one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import Tensor, nn

from quantleak.errors import InputError, nearest
from quantleak.ptq.modules import Weight, weights_of
from quantleak.ptq.network import NetworkProcedure
from quantleak.ptq.procedure import Procedure
from quantleak.ptq.registry import procedure
from quantleak.ptq.rule import BODY, FLOAT, Rule

Calibration = Tensor | Iterable[Any] | None


def quantize(
    model: nn.Module,
    spec: str | Procedure,
    *,
    calibration: Calibration = None,
    policy: Mapping[str, str] | None = None,
    seed: int = 0,
    indices: Sequence[int] | None = None,
) -> nn.Module:
    """Quantize the weights of a trained network; biases, norms and activations stay as they are.

    The same arguments give the same bytes, whatever ran before and in whatever process, on the same kind of processor
    and version of torch: it runs in one thread, because with several sums are taken in another order.

    Args:
        model: The trained module; nothing of it changes. Linear layers and convolutions of every kind are quantized by
            every rule, embeddings to their nearest values, recurrent and attention weights by `rtn` only.
        spec: `rtn:4`, `obq:3?head=8`, `adaround:ternary?iterations=2000`, `brecq:2`, or any other quantizer;
            `quantleak list quantizers` shows all.
        calibration: Inputs `[examples, ...]` that the model was trained on; or a loader of batches, of which the first
            element counts if they are tuples. The first 1,024 are read (`?examples=` of the spec).
        policy: Other rules by name pattern of a layer or weight, such as `{"head*": "rtn:8", "stem": "float"}`; the
            first pattern that matches decides, `float` leaves a weight as it is.
        seed: Fixes all that is drawn.
        indices: Where the calibration examples stand in the training set, to be recorded.

    Returns:
        A module like `model`, in evaluation mode, whose weights are the dequantized ones. Its attribute `quantization`
        holds their codes and grids: see :func:`save_quantized`.

    Raises:
        InputError: A model, policy or calibration set that cannot be used; the message names the layer.

    Example:
        >>> module = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2))
        >>> quantize(module, "obq:3", calibration=torch.randn(64, 8), policy={"2": "rtn:8"}).quantization
        Quantization(obq:3: 2 weights of [8, 256] levels, 0 left)
    """
    rule = spec if isinstance(spec, Procedure) else procedure(spec, "float32")
    if not isinstance(rule, NetworkProcedure):
        if policy:
            raise InputError(f"{rule.spec} takes no policy; rtn, obq, adaround and brecq do.")
        return rule.quantize(model, _rows(calibration, rule.calibration_rows), seed)
    rules = _by_weight(model, policy or {})
    wanted = max([rule.calibration_rows, *(one.calibration_rows for one in rules.values() if one is not None)])
    rows = _rows(calibration, wanted)
    return rule.quantize_network(model, rows, seed, rules, None if indices is None else tuple(map(int, indices)))


def _by_weight(model: nn.Module, policy: Mapping[str, str]) -> dict[str, Rule | None]:
    """The rule of each weight that a pattern matches; the first pattern decides."""
    weights = weights_of(model) if policy else ()
    found: dict[str, Rule | None] = {}
    for pattern, spec in policy.items():
        rule = None if spec == FLOAT else procedure(spec, "float32")
        if rule is not None and not isinstance(rule, Rule):
            raise InputError(f"policy: '{pattern}' must be given float, rtn, obq, adaround or brecq, got '{spec}'.")
        if rule is not None and (rule.fold or rule.retune or rule.head != BODY or rule.keep or rule.only):
            raise InputError(
                f"policy: '{pattern}' is given '{spec}'; fold, retune, head, keep and only are of the whole network."
            )
        matched = [weight for weight in weights if any(fnmatchcase(name, pattern) for name in _names(weight))]
        if not matched:
            names = [weight.layer for weight in weights]
            shown = ", ".join(names[:8]) + (" ..." if len(names) > 8 else "")
            hint = nearest(pattern.strip("*"), names)
            raise InputError(f"policy: '{pattern}' matches no layer.{hint} Layers: {shown}")
        for weight in matched:
            found.setdefault(weight.name, rule)
    return found


def _names(weight: Weight) -> list[str]:
    return [weight.layer, weight.name, *weight.tied]


def _rows(calibration: Calibration, wanted: int) -> Tensor | None:
    """At most so many calibration examples as one tensor."""
    if calibration is None or not wanted:
        return None
    if isinstance(calibration, Tensor):
        return calibration[:wanted]
    batches: list[Tensor] = []
    for batch in calibration:
        first = batch[0] if isinstance(batch, (tuple, list)) else batch
        if not isinstance(first, Tensor):
            raise InputError(
                f"calibration: a batch of the loader is {type(first).__name__}, not a tensor of inputs; give a tensor, "
                "or a loader of tensors or (inputs, targets)."
            )
        batches.append(first)
        if sum(map(len, batches)) >= wanted:
            break
    return torch.cat(batches)[:wanted] if batches else None
