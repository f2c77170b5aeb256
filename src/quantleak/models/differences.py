"""Where two modules of one family differ beside their parameters and buffers."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from quantleak.models.framework import own_attributes
from quantleak.ptq.modules.layout import state

_SIMPLE = (bool, int, float, complex, str, bytes, type(None), torch.dtype, torch.device)
_DEEP = 20  # containers inside containers


def same(one: Tensor, two: Tensor) -> bool:
    """Whether two tensors are equal in dtype, shape and every value, NaN equal to NaN."""
    if one.dtype != two.dtype or one.shape != two.shape or one.layout != two.layout:
        return False
    one, two = (tensor.detach().to_dense() for tensor in (one, two))
    return bool(((one == two) | (one.isnan() & two.isnan())).all())


def differences(one: nn.Module, two: nn.Module) -> list[str]:
    """Names of the attributes of any submodule that hold other values in one module than in the other.

    Looked at are tensors, arrays, numbers, texts, random generators, and lists, tuples, dicts, sets and plain objects
    of these; a submodule in a list that torch does not know of is such an object. Left out are registered parameters
    and buffers, tensors computed from them, and what torch and Lightning themselves keep in a module.
    """
    parts, hidden = dict(two.named_modules()), own_attributes(one)
    known = {id(tensor) for module in (one, two) for tensor in state(module).values()}
    found: list[str] = []
    for name, part in one.named_modules():
        left, right = vars(part), vars(parts.get(name, part))
        keys = [key for key in {**left, **right} if key not in hidden]
        found += [
            f"{name}.{key}".removeprefix(".")
            for key in keys
            if any(_differ(left.get(key), right.get(key), known, {}, _DEEP))
        ]
    return found


def _differ(one: Any, two: Any, known: set[int], seen: dict[int, Any], deep: int) -> Iterator[bool]:
    """True for each leaf that differs."""
    if one is two or id(one) in seen or not deep or (id(one) in known and id(two) in known):
        return
    seen[id(one)] = one  # held, so that no other object takes its number
    if type(one) is not type(two):
        yield True
    elif isinstance(one, Tensor):
        # What was computed from parameters (pruned or normed weights) is computed again before it is used.
        yield one.grad_fn is None and not same(one, two)
    elif isinstance(one, np.ndarray | np.generic):
        yield not np.array_equal(one, two, equal_nan=one.dtype.kind in "fc")
    elif isinstance(one, _SIMPLE):
        yield repr(one) != repr(two)
    elif isinstance(one, set | frozenset):
        yield sorted(map(repr, one)) != sorted(map(repr, two))
    else:
        left, right = _inside(one), _inside(two)
        yield left.keys() != right.keys()
        for key in left.keys() & right.keys():
            yield from _differ(left[key], right[key], known, seen, deep - 1)


def _inside(thing: Any) -> Mapping[Any, Any]:
    """What a container, a generator of random numbers or an object holds, by key."""
    if isinstance(thing, list | tuple):
        return dict(enumerate(thing))
    if isinstance(thing, Mapping):
        return thing
    if isinstance(thing, torch.Generator):
        return {"state": thing.get_state()}
    if isinstance(thing, np.random.Generator):
        return {"state": thing.bit_generator.state}
    if isinstance(thing, random.Random):
        return {"state": thing.getstate()}
    found: Mapping[Any, Any] = getattr(thing, "__dict__", {})
    return found
