"""Which buffers are constants: equal in all models and never changed by training."""

from __future__ import annotations

from dataclasses import replace

import torch

from quantleak.fleet.fleet import Block, Fleet, Trainer
from quantleak.fleet.stacked import perceptron_layers


def constants(fleet: Fleet, trainer: Trainer) -> frozenset[str]:
    """Names of the buffers that are equal in two models and that an epoch of training leaves as they are.

    Means and standard deviations of the data, positions and index tables are such buffers; running statistics are not.
    A constant is no part of a model: it is neither stored nor rounded, as the module's own constructor brings it back.
    A buffer that begins to change after the first epoch is taken for one, and refused when training ends.

    Args:
        fleet: Two of its models are trained for one epoch, unless they are perceptrons, which have no buffers.
        trainer: Trains them.

    Raises:
        InputError: A model that cannot be rebuilt from what is kept of it.
    """
    if perceptron_layers(fleet.network.module(seed=0)) is not None:
        return frozenset()
    short = replace(fleet, training=replace(fleet.training, epochs=1, evaluate_every=1))
    block = Block(short, tuple(range(len(fleet.members)))[:2])
    *_, last = trainer.train(block)
    both = torch.cat([block.start(), last.flat]).view(torch.int32)  # bits, so that NaN equals NaN
    return frozenset(
        slot.name
        for slot in fleet.network.layout.slots
        if slot.name in dict(fleet.network.module(seed=0).named_buffers())
        and bool((both[:, slot.start : slot.stop] == both[:1, slot.start : slot.stop]).all())
    )
