"""What every quantizer must be: a pure, deterministic map of weights onto its own grid, model by model."""

from __future__ import annotations

import math
import pickle
from functools import partial

import torch
from torch import Tensor

from quantleak.quantizers import Quantizer, quantizer
from quantleak.testing.expect import expect, expect_refusal

DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
SHAPES = ((7,), (4, 5), (3, 2, 4))


def check_quantizer(rule: str | Quantizer, *, idempotent: bool = False) -> None:
    """Check a quantizer on random, constant, zero, empty and unusable weights of every float type.

    Args:
        rule: A quantizer or its spec.
        idempotent: It claims that quantizing twice changes nothing; of our own `sign` and `ternary` do.

    Raises:
        AssertionError: Saying what it does wrong and on which weights.
        InputError: If there is no quantizer of this spec.

    Example:
        >>> check_quantizer("ternary:0.5", idempotent=True)
    """
    q = quantizer(rule)
    _check_record(q)
    for dtype in DTYPES:
        for shape in SHAPES:
            weight = torch.randn(shape, generator=torch.Generator().manual_seed(7)).to(dtype)
            where = f"on {dtype} weights of shape {shape}"
            _check_pure(q, weight, where)
            _check_grid(q, weight, where)
            _check_batch(q, weight, where)
            if idempotent:
                again = q(q(weight))
                expect(torch.equal(again, q(weight)), f"{q.spec} is not idempotent {where}: twice differs from once.")
    for name, weight in {"all zero": torch.zeros(3, 4), "all equal": torch.full((3, 4), 0.3)}.items():
        _check_grid(q, weight, f"on weights that are {name}")
    _check_edges(q)


def _check_record(q: Quantizer) -> None:
    expect(hash(q) == hash(pickle.loads(pickle.dumps(q))), f"{q.spec} does not survive pickling; workers need that.")
    expect(q == pickle.loads(pickle.dumps(q)), f"{q.spec} is not equal to a copy of itself; use a frozen dataclass.")
    bits = q.effective_bits((64, 32))
    expect(0 <= bits < math.inf, f"{q.spec}.effective_bits((64, 32)) must be a finite number of bits, got {bits}.")


def _check_pure(q: Quantizer, weight: Tensor, where: str) -> None:
    parameter = torch.nn.Parameter(weight.clone())
    state = torch.get_rng_state()
    quantized = q(parameter)
    expect(torch.equal(parameter.detach(), weight), f"{q.spec} changes its argument {where}; work on a copy.")
    expect(torch.equal(torch.get_rng_state(), state), f"{q.spec} draws from torch's random numbers {where}.")
    expect(not quantized.requires_grad, f"{q.spec} lets a gradient through {where}.")
    found = (quantized.shape, quantized.dtype, quantized.device)
    wanted = (weight.shape, weight.dtype, weight.device)
    expect(found == wanted, f"{q.spec} must keep shape, dtype and device {where}: {wanted} became {found}.")
    kept = quantized.clone()
    quantized.fill_(7)
    expect(torch.equal(parameter.detach(), weight), f"{q.spec} returns its argument's own memory {where}.")
    expect(torch.equal(q(parameter), kept), f"{q.spec} gives other values when called again {where}.")


def _check_grid(q: Quantizer, weight: Tensor, where: str) -> None:
    quantized = q(weight)
    expect(bool(torch.isfinite(quantized).all()), f"{q.spec} gives NaN or infinity {where}.")
    if not q.discrete:
        return
    levels = q.levels(weight)
    expect(levels.dtype == weight.dtype, f"{q.spec}.levels has dtype {levels.dtype} {where}; it must be the weight's.")
    expect(bool((levels.diff(dim=-1) >= 0).all()), f"{q.spec}.levels must ascend {where}, got {levels.tolist()}.")
    stray = set(quantized.flatten().tolist()) - set(levels.flatten().tolist())
    expect(not stray, f"{q.spec} gives values that its levels lack {where}: {sorted(stray)[:3]}.")


def _check_batch(q: Quantizer, weight: Tensor, where: str) -> None:
    stack = torch.stack([weight, weight.flip(0) * 3, weight.neg()])  # [models, *shape]
    together = q(stack, batch_dims=1)
    for alone, model in zip(stack, together, strict=True):
        same = torch.equal(q(alone), model)
        expect(same, f"{q.spec} gives a model other values beside others than alone, with batch_dims=1 {where}.")
    twofold = q(torch.stack([stack, stack]), batch_dims=2)
    expect(torch.equal(twofold, torch.stack([together, together])), f"{q.spec} is wrong with batch_dims=2 {where}.")
    if q.discrete:
        each = torch.stack([q.levels(alone) for alone in stack])
        expect(torch.equal(q.levels(stack, 1), each), f"{q.spec}.levels is wrong with batch_dims=1 {where}.")


def _check_edges(q: Quantizer) -> None:
    for shape in ((0,), (0, 3)):
        expect(q(torch.zeros(shape)).shape == shape, f"{q.spec} must leave an empty weight of shape {shape} empty.")
    for value in (math.nan, math.inf, -math.inf):
        bad = torch.tensor([[1.0, value], [-2.0, 0.5]])
        expect_refusal(partial(q, bad), f"{q.spec} must refuse weights with {value}: raise InputError.")
    whole = torch.ones(2, 2, dtype=torch.int64)
    expect_refusal(partial(q, whole), f"{q.spec} must refuse weights of whole numbers: raise InputError.")
