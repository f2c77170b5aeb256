"""Which buffers are constants: equal in all models and never changed by training."""

from __future__ import annotations

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from quantleak.errors import InputError
from quantleak.fleet.fleet import Block, Fleet, Trainer
from quantleak.fleet.stacked import perceptron_layers
from quantleak.models.differences import same
from quantleak.ptq.modules.layout import Layout

_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def constants(fleet: Fleet, trainer: Trainer) -> frozenset[str]:
    """Names of the buffers that are equal in all models and that an epoch of training leaves as they are.

    Means and standard deviations of the data, positions and index tables are such buffers; running statistics are not.
    A constant is no part of a model: it is neither stored nor rounded, as the module's own constructor brings it back.
    A buffer that begins to change after the first epoch is taken for one, and refused when training ends. Where no
    module but BatchNorm has buffers, which every step changes, two steps stand for the epoch, which may take minutes.

    Args:
        fleet: All of its models are built and two trained for one epoch, unless they are perceptrons, which have no
            buffers.
        trainer: Trains them.

    Raises:
        InputError: A model that cannot be rebuilt from what is kept of it, or that trains a tensor of the others.
    """
    module = fleet.network.module(seed=0)
    if perceptron_layers(module) is not None:
        return frozenset()
    short = replace(fleet, training=replace(fleet.training, epochs=1, evaluate_every=1))
    if all(type(part) in _NORMS or not dict(part.named_buffers(recurse=False)) for part in module.modules()):
        short = replace(short, members=tuple(rows[: 2 * fleet.training.batch] for rows in fleet.members))
    block = Block(short, tuple(range(len(fleet.members)))[:2])
    start = block.start()
    *_, last = trainer.train(block)
    changed = _varying(fleet.network.layout, torch.stack([start, block.start()]))
    if changed:
        raise InputError(
            f"Model '{fleet.network.spec}': '{changed[0]}' is one and the same tensor in all models, and training one "
            "changes the others. Copy it inside the function: copy.deepcopy(...)."
        )
    usual = dict(fleet.network.module(seed=0).named_buffers())
    found = usual.keys() & {slot.name for slot in fleet.network.layout.slots}
    found -= set(_varying(fleet.network.layout, torch.cat([start, last.flat])))
    for model in range(len(fleet.members)):
        if found:
            own = dict(fleet.network.module(block.start_seed(model)).named_buffers())
            found = {name for name in found if same(own[name], usual[name])}
    return frozenset(found)


def _varying(layout: Layout, rows: Float[Tensor, "rows ... parameters"]) -> list[str]:
    """Names of the tensors whose bits are not those of the first row in all others."""
    bits = rows.view(torch.int32)  # NaN equals NaN
    moved = (bits != bits[:1]).flatten(0, -2).any(0)
    return [slot.name for slot in layout.slots if moved[slot.start : slot.stop].any()]
