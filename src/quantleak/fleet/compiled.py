"""The fastest route, for linear models of one output: a loop compiled for the processor at hand."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from quantleak.fleet.fleet import Block, Checkpoint
from quantleak.fleet.stacked import perceptron_layers

_BYTES = 1 << 22  # of parameters after every epoch, handed over at once


class Compiled:
    """One model after the other, each many epochs long, by :func:`quantleak.fleet.kernel.train_linear`."""

    name = "compiled"
    one_by_one = False  # it trains them so, but linear models are evaluated together, and a block of one gains nothing

    def refuses(self, block: Block) -> str | None:
        """Anything but a linear model of one output on the CPU."""
        fleet = block.fleet
        layers = perceptron_layers(fleet.network.module(seed=0))
        fits = layers is not None and len(layers) == 1 and layers[0].out_features == 1
        if not fits or len(fleet.network.input_shape) != 1 or fleet.task == "multiclass" or block.device.type != "cpu":
            return "compiled trains linear models of one output on vectors, on the CPU only"
        if settings := fleet.training.other_than_usual("augment", "precision"):
            return f"compiled has no {settings}; serial has"
        return None

    def train(self, block: Block) -> Iterator[Checkpoint]:
        """Train some epochs at a time, model by model."""
        # Compiled or read from numba's cache when it is first needed: half a second that other routes do not pay.
        from quantleak.fleet import kernel

        training, start, batches = block.fleet.training, block.start(), block.batches()
        features, targets = (tensor.float().numpy() for tensor in block.data())
        edges = np.stack([b.edges for b in batches])
        own = start.numpy().copy()
        first, second = np.zeros_like(own), np.zeros_like(own)
        settings = training.optimizer
        numbers = [np.float32(x) for x in (settings.momentum, settings.weight_decay)]
        optimizer = {"sgd": kernel.SGD, "adam": kernel.ADAM, "adamw": kernel.ADAMW}[settings.name]
        optimizer = kernel.NESTEROV if settings.nesterov else optimizer
        task = kernel.BINARY if block.fleet.task == "binary" else kernel.REGRESSION
        at_once = max(1, _BYTES // own.nbytes)
        for done in range(0, training.epochs, at_once):
            epochs = min(at_once, training.epochs - done)
            order = np.zeros((len(own), epochs, edges.max()), dtype=np.int64)
            for model, drawn in enumerate(batches):
                order[model, :, : drawn.edges[-1]] = drawn.epochs(epochs)
            seen = np.empty((epochs, *own.shape), dtype=np.float32)
            steps = done * block.fleet.steps
            rates = np.array([training.learning_rate(done + epoch + 1) for epoch in range(epochs)], dtype=np.float32)
            kernel.train_linear(
                features, targets, task, order, edges, optimizer, rates, *numbers, own, first, second, steps, seen
            )
            for epoch in range(1, epochs + 1):
                if training.evaluated(done + epoch):
                    yield Checkpoint(done + epoch, torch.from_numpy(seen[epoch - 1]))
