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


class Vmap:
    """One batched forward pass over stacked parameters; autograd and one optimizer over all of them."""

    name = "vmap"

    def refuses(self, block: Block) -> str | None:
        """Modules that vmap cannot run, among them all that draw random numbers: every model needs its own."""
        models = len(block.models)
        # A user's module can raise anything.
        try:
            trial = _Models(block)
            rows = torch.arange(2 * models, device=block.device) % len(trial.features)
            trial.forward(np.arange(models), trial.features[rows].unflatten(0, (models, 2)))
        except Exception as error:
            first = next(iter(str(error).splitlines()), "") or type(error).__name__
            return f"vmap cannot run this module: {first}"
        return None

    def train(self, block: Block) -> Iterator[Checkpoint]:
        """Train all models of the block step by step."""
        models, batches = _Models(block), block.batches()
        training = block.fleet.training
        for epoch in range(1, training.epochs + 1):
            models.epoch(batches)
            if training.evaluated(epoch):
                yield Checkpoint(epoch, models.flat())


class _Models:
    def __init__(self, block: Block) -> None:
        modules = [block.fleet.network.module(block.start_seed(m)).to(block.device) for m in block.models]
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
        tensors = {**self.parameters, **self.buffers}
        return torch.cat([tensors[slot.name].detach().flatten(1).float() for slot in self.layout.slots], 1)
