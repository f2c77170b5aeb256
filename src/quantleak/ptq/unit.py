"""One unit of a network on its way to being quantized: a layer or a block, its inputs, the outputs it should have."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call

from quantleak.errors import InputError
from quantleak.ptq.modules import Weight, chunks
from quantleak.ptq.modules.walk import Call
from quantleak.ptq.solvers import Gram, Grid, Penalty, SoftRounding
from quantleak.rng import stream

log = logging.getLogger("quantleak")

Codes = dict[str, Tensor]
TOLERANCE = 1e-3
"""Largest relative difference of a layer's output from the product that it stands for."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Unit:
    """A layer or block with all that its quantization depends on.

    Attributes:
        module: The unit, its weights as trained, the quantized ones of others inside it already in place.
        original: The unit of the trained network.
        call: Its inputs from the quantized units before it.
        trained: The same call of the trained module, with its output.
        weights: Weights to quantize.
        grids: By name of the weight.
        importance: How much every number of the output counts, with mean 1; None if all count alike.
        seed: Of the whole network.
    """

    module: nn.Module
    original: nn.Module
    call: Call
    trained: Call
    weights: tuple[Weight, ...]
    grids: Mapping[str, Grid]
    importance: Float[Tensor, "examples ..."] | None
    seed: int

    @property
    def name(self) -> str:
        """Of the unit."""
        return self.call.name

    def parameter(self, weight: Weight) -> Tensor:
        """The trained weight."""
        return self.module.get_parameter(self.inner(weight)).detach()

    def inner(self, weight: Weight) -> str:
        """The name of a weight's parameter inside the unit."""
        names = [weight.name, *weight.tied]
        inside = next(name for name in names if name.startswith(f"{self.name}.") or not self.name)
        return inside.removeprefix(f"{self.name}.")

    def gram(self, *, asymmetric: bool) -> Gram:
        """The Gram matrices of a unit that is one layer.

        Args:
            asymmetric: Whether its inputs are those from the quantized layers before it, or as in the trained network.

        Raises:
            InputError: If the layer does not compute the product of its weight and inputs.
        """
        (weight,) = self.weights
        matrix = weight.matrix(self.parameter(weight))
        self._require_product(weight, matrix)
        gram = Gram.empty(matrix.shape[0], matrix.shape[1], matrix.shape[2], matrix.device)
        inputs = self.call.first if asymmetric else self.trained.first
        for columns, wanted, examples in chunks(self.module, weight, inputs, self.trained.output):
            gram = gram.plus(columns, wanted, examples)
        return gram

    def _require_product(self, weight: Weight, matrix: Tensor) -> None:
        some, output = self.trained.first[:1], self.trained.output[:1]
        columns, wanted, _ = next(iter(chunks(self.original, weight, some, output)))
        if not torch.allclose(matrix @ columns, wanted, rtol=TOLERANCE, atol=TOLERANCE * float(wanted.abs().max())):
            raise InputError(
                f"'{self.name}' ({type(self.module).__name__}) does not compute the product of its weight and its "
                f'inputs. Quantize it by a data-free rule: policy={{"{self.name}": "rtn:8"}}.'
            )

    def learn(self, penalty: Penalty, learning_rate: float, batch: int, *, asymmetric: bool) -> Codes:
        r"""Learn by minibatches how every weight of the unit is rounded, all of them together.

        .. math:: \min_V \sum_{\text{channels}} \mathrm{mean}\, g\, (z(\tilde W(V), \hat x) - z)^2 + \lambda R(V)

        with z the unit's output, g the importance. The better of learned and nearest rounding is returned, judged on
        all calibration data.
        """
        inputs = self.call if asymmetric else self.trained
        target = self.trained.output
        matrices = {one.name: one.matrix(self.parameter(one)) for one in self.weights}
        soft = {name: SoftRounding.of(matrix, self.grids[name]) for name, matrix in matrices.items()}
        variables = [start.requires_grad_() for _, start in soft.values()]
        optimizer = torch.optim.Adam(variables, lr=learning_rate)
        examples = len(target)
        random = stream(self.seed, f"learn the rounding of {self.name}")
        with torch.enable_grad():
            for step in range(penalty.steps):
                rows = torch.from_numpy(random.permutation(examples)[: min(batch, examples)]).to(target.device)
                weights = {
                    self.inner(one): one.weight(soft[one.name][0].weight(soft[one.name][1])) for one in self.weights
                }
                loss = self._loss(inputs, weights, rows)
                beta = penalty.beta(step)
                if beta is not None:
                    for variable in variables:
                        loss = loss + penalty.value(SoftRounding.share(variable), beta)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
        learned = {one.name: soft[one.name][0].codes(soft[one.name][1].detach() >= 0) for one in self.weights}
        nearest = {name: self.grids[name].codes(matrix.float()) for name, matrix in matrices.items()}
        if self.error(learned, asymmetric=asymmetric) <= self.error(nearest, asymmetric=asymmetric):
            return learned
        log.info("'%s': the learned rounding is worse than the nearest, which is kept", self.name)
        return nearest

    @torch.no_grad()
    def error(self, codes: Codes, *, asymmetric: bool, batch: int = 64) -> float:
        """The unit's error with these codes on all calibration data, the importance included."""
        inputs = self.call if asymmetric else self.trained
        weights = {self.inner(one): one.weight(self.grids[one.name].values(codes[one.name])) for one in self.weights}
        examples = len(self.trained.output)
        losses = [
            float(self._loss(inputs, weights, rows.to(self.trained.output.device))) * len(rows)
            for rows in torch.arange(examples).split(batch)
        ]
        return float(np.sum(losses)) / examples

    def _loss(self, inputs: Call, weights: dict[str, Tensor], rows: Tensor) -> Tensor:
        def some(value: Any) -> Any:
            return value[rows] if isinstance(value, Tensor) else value

        options = {key: some(value) for key, value in inputs.options.items()}
        output = functional_call(self.module, weights, tuple(map(some, inputs.inputs)), options)
        squared: Tensor = (output - some(self.trained.output)).square()
        if self.importance is not None:
            squared = squared * some(self.importance)
        # The sum over channels of the mean over examples and positions.
        return squared.sum() / (squared.numel() / self._channels(squared))

    def _channels(self, output: Tensor) -> int:
        convolutions = any(weight.kind != "linear" for weight in self.weights)
        return output.shape[1] if convolutions and output.ndim > 2 else output.shape[-1]
