"""Any functional module, all models of a block at once by `torch.func.vmap`: pays for tiny models."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call, stack_module_state

from quantleak.fleet.batches import ModelBatches
from quantleak.fleet.fleet import Block, Checkpoint
from quantleak.fleet.objective import LOSSES
from quantleak.fleet.optimizers import set_learning_rate
from quantleak.models.differences import differences


class Vmap:
    """One batched forward pass over stacked parameters; autograd and one optimizer over all of them."""

    name = "vmap"
    one_by_one = False

    def refuses(self, block: Block) -> str | None:
        """Modules that vmap cannot run, or not as each would run alone.

        All models run through one module, so they must differ in parameters and buffers alone. Refused are also those
        that draw random numbers (every model needs its own), change an attribute in training, or replace a buffer
        instead of writing into it.
        """
        if settings := block.fleet.training.other_than_usual("augment", "precision"):
            return f"vmap has no {settings}; serial has"
        # A user's module can raise anything.
        try:
            reason = _Models(block).shares(block)
        except Exception as error:
            reason = next(iter(str(error).splitlines()), "") or type(error).__name__
        return None if reason is None else f"vmap cannot run this module: {reason}"

    def train(self, block: Block) -> Iterator[Checkpoint]:
        """Train all models of the block step by step."""
        models, batches = _Models(block), block.batches()
        training = block.fleet.training
        for epoch in range(1, training.epochs + 1):
            set_learning_rate(models.optimizer, training.learning_rate(epoch))
            models.epoch(batches)
            if training.evaluated(epoch):
                yield Checkpoint(epoch, models.flat())


class _Models:
    def __init__(self, block: Block) -> None:
        modules = block.modules()
        self.base = modules[0].train()
        self.layout = block.layout
        self.parameters, self.buffers = stack_module_state(modules)
        self.features, self.targets = block.data()
        self.loss = LOSSES[block.fleet.task]
        self.optimizer = block.fleet.training.optimizer.make(list(self.parameters.values()))

    def forward(self, rows: np.ndarray, inputs: Tensor) -> Tensor:
        """Outputs `[rows, batch, outputs]` of these models, each on its own inputs; buffers are updated in place."""
        index = torch.from_numpy(rows).to(inputs.device)
        parameters = {name: tensor[index] for name, tensor in self.parameters.items()}
        buffers = {name: tensor[index] for name, tensor in self.buffers.items()}

        def one(parameters: dict[str, Tensor], buffers: dict[str, Tensor], inputs: Tensor) -> Tensor:
            outputs: Tensor = functional_call(self.base, (parameters, buffers), (inputs,))
            return outputs

        outputs: Tensor = torch.vmap(one, randomness="error")(parameters, buffers, inputs)
        for name, tensor in buffers.items():
            self.buffers[name][index] = tensor.detach()
        return outputs

    def shares(self, block: Block) -> str | None:
        """What all models have in common and should not, after one forward pass; the object is used up by it."""
        models = len(block.models)
        alone, rebuilt = block.modules(), block.fleet.network.module(seed=0).to(block.device)
        for other in alone:
            if names := differences(rebuilt, other):
                return f"'{names[0]}' differs between models and is neither a parameter nor a buffer"
        rows = torch.arange(2 * models, device=block.device) % len(self.features)
        inputs = self.features[rows].unflatten(0, (models, 2))
        with torch.no_grad():
            self.forward(np.arange(models), inputs)
            last = alone[-1].train()
            last(inputs[-1])
        if names := differences(self.base, block.modules()[0]):
            return f"'{names[0]}' changes in training and is neither a parameter nor a buffer"
        for name, tensor in last.named_buffers():
            if not torch.allclose(
                tensor.double(), self.buffers[name][-1].double(), rtol=1e-3, atol=1e-5, equal_nan=True
            ):
                return f"buffer '{name}' does not change as in a model alone; write into it, as in buffer.copy_(new)"
        return None

    def epoch(self, batches: list[ModelBatches]) -> None:
        orders = [b.epoch() for b in batches]
        edges = np.stack([b.edges for b in batches])
        for step in range(edges.shape[1] - 1):
            self.optimizer.zero_grad()
            sizes = edges[:, step + 1] - edges[:, step]
            # Models with equal batches go together, so that nothing is padded and batch statistics stay true.
            for size in np.unique(sizes):
                rows = np.flatnonzero(sizes == size)
                index = np.stack([orders[m][edges[m, step] : edges[m, step + 1]] for m in rows])
                drawn = torch.from_numpy(index).to(self.features.device)
                outputs = self.forward(rows, self.features[drawn])
                losses = torch.vmap(self.loss)(outputs, self.targets[drawn])
                losses.mean(1).sum().backward()
            self.optimizer.step()

    def flat(self) -> Tensor:
        return self.layout.flatten({**self.parameters, **self.buffers}, batch_dims=1)
