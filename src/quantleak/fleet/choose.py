"""Which trainer trains a block: the compiled or the stacked one where it can, else the faster of the others."""

from __future__ import annotations

import time
from dataclasses import replace

from quantleak.errors import InputError, nearest
from quantleak.fleet.compiled import Compiled
from quantleak.fleet.fleet import Block, Fleet, Trainer
from quantleak.fleet.serial import Serial
from quantleak.fleet.serial_lightning import SerialLightning
from quantleak.fleet.stacked import Stacked
from quantleak.fleet.vmap import Vmap
from quantleak.models.framework import lightning_base

_CLOSED_FORM: tuple[Trainer, ...] = (Compiled(), Stacked())
TRAINERS: dict[str, Trainer] = {t.name: t for t in (*_CLOSED_FORM, Vmap(), Serial(), SerialLightning())}


def trainer(name: str, block: Block) -> Trainer:
    """The trainer called `name`, or for `auto` the one to use.

    A LightningModule is trained as it says itself. Compiled, then stacked, is taken wherever it can (they were the
    fastest in every measurement, and so the choice cannot depend on timing noise). Images are trained serially:
    convolutions run one after another on this kind of processor anyway, and timing them would take minutes. Else one
    epoch each of vmap and serial decides.

    Raises:
        InputError: Unknown name, or a trainer that cannot train the block.
    """
    advice = "" if name == "auto" else " Use trainer auto."
    if name == "auto" and lightning_base(block.fleet.network.module(seed=0)) is not None:
        name = "serial-lightning"
    if name == "auto" and (len(block.fleet.network.input_shape) == 3 or _for_serial_only(block)):
        name = "serial"
    if name == "auto":
        able = [t for t in TRAINERS.values() if t.refuses(block) is None]
        return able[0] if able[0] in _CLOSED_FORM else min(able, key=lambda t: _seconds(t, block))
    if name not in TRAINERS:
        raise InputError(f"Trainer '{name}' is not one of auto, {', '.join(TRAINERS)}.{nearest(name, TRAINERS)}")
    reason = TRAINERS[name].refuses(block)
    if reason:
        raise InputError(f"Trainer '{name}' cannot train model '{block.fleet.network.spec}': {reason}.{advice}")
    return TRAINERS[name]


def _for_serial_only(block: Block) -> bool:
    return block.fleet.training.other_than_usual("augment", "precision") is not None


def _seconds(trainer: Trainer, block: Block) -> float:
    """Time of a second epoch of up to eight models; the first one warms up."""
    short: Fleet = replace(block.fleet, training=replace(block.fleet.training, epochs=2, evaluate_every=1))
    epochs = trainer.train(Block(short, block.models[:8]))
    next(epochs)
    start = time.perf_counter()
    next(epochs)
    return time.perf_counter() - start
