"""The network g: a hidden layer on theta and the example, and a linear part that starts as a threshold on the loss."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from quantleak.attacks.discriminator.inputs import Inputs


class Network(nn.Module):
    r"""The logit of membership, :math:`b + a^\top e + w^\top \mathrm{relu}(A e + B \theta + c)` for example columns e.

    It starts at the discriminant of two normal distributions of the logarithm of the loss, w = 0, a = 0 elsewhere:
    before training it is the LOSS attack. :math:`B \theta` is formed once a model, not once an example.

    Args:
        start: Slope and intercept in the first column.
        columns: C, columns of an example.
        parameters: P, or 0 where g does not read theta.
        width: Hidden units, or 0 for the linear part alone.
    """

    def __init__(self, start: tuple[float, float], columns: int, parameters: int, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(columns, 1)
        self.example = nn.Linear(columns, width) if width else None
        self.theta = nn.Linear(parameters, width, bias=False) if width and parameters else None
        self.out = nn.Linear(width, 1, bias=False) if width else None
        with torch.no_grad():
            self.linear.weight.zero_()[0, 0] = start[0]
            self.linear.bias.fill_(start[1])
            if self.out is not None:
                self.out.weight.zero_()

    def forward(self, examples: Tensor, theta: Tensor | None) -> Tensor:
        """Logits `[m, k]` of examples `[m, k, C]` of the models theta `[m, P]`."""
        logits = self.linear(examples)
        if self.example is not None and self.out is not None:
            hidden = self.example(examples)
            if self.theta is not None:
                hidden = hidden + self.theta(theta)[:, None]
            logits = logits + self.out(torch.relu(hidden))
        return torch.squeeze(logits, -1)

    @torch.no_grad()
    def logits(self, inputs: Inputs) -> Tensor:
        """Logits `[M, N]` of whole models, some at a time to bound the memory."""
        parts = [inputs.of(slice(first, first + 32)) for first in range(0, len(inputs.examples), 32)]
        return torch.cat([self(part.examples, part.parameters) for part in parts])


def loss_start(examples: Tensor, member: Tensor) -> tuple[float, float]:
    """Slope and intercept of the log-likelihood ratio of two normals of equal variance in the first column.

    Args:
        examples: `[M, N, C]`.
        member: `[M, N]` float32, 1 for members.
    """
    values, inside = examples[..., 0].double(), member.bool()
    one, other = values[inside], values[~inside]
    variance = (one.var(correction=0) + other.var(correction=0)) / 2
    # Without spread there is nothing to see in the loss, and no slope.
    slope = float((one.mean() - other.mean()) / variance) if variance > 0 else 0.0
    return slope, -slope * float(one.mean() + other.mean()) / 2
