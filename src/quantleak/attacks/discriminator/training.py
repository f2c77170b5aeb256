"""Fit one configuration of g to the training models, stopped by the validation models."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from quantleak.attacks.discriminator.inputs import Inputs
from quantleak.attacks.discriminator.network import Network, loss_start
from quantleak.attacks.discriminator.settings import Candidate, Discriminator


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Labelled:
    """Inputs and the truth.

    Attributes:
        inputs: Of some models.
        member: [M, N] float32, 1 for members.
    """

    inputs: Inputs
    member: Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class Fitted:
    """g where the validation models liked it best.

    Attributes:
        network: Its weights of that epoch.
        history: Cross-entropy on the validation models in nats, before training and after every epoch.
    """

    network: Network
    history: tuple[float, ...]


def fit(
    candidate: Candidate, settings: Discriminator, training: Labelled, validation: Labelled, random: np.random.Generator
) -> Fitted:
    """Minimise the cross-entropy with AdamW; keep the epoch with the lowest on the validation models."""
    network = _start(candidate, training, int(random.integers(1 << 31)))
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=candidate.learning_rate, weight_decay=candidate.weight_decay, fused=True
    )
    history, best = [_cross_entropy(network, validation)], _copy(network)
    for _ in range(settings.epochs):
        for examples, member in _minibatches(training, settings.batch, random):
            optimizer.zero_grad()
            logits = network(examples, training.inputs.parameters)
            binary_cross_entropy_with_logits(logits, member).backward()
            optimizer.step()
        history.append(_cross_entropy(network, validation))
        if history[-1] == min(history):
            best = _copy(network)
        elif len(history) - 1 - int(np.argmin(history)) >= settings.patience:
            break
    network.load_state_dict(best)
    return Fitted(network=network, history=tuple(history))


def _start(candidate: Candidate, training: Labelled, seed: int) -> Network:
    columns, theta = training.inputs.examples.shape[2], training.inputs.parameters
    start = loss_start(training.inputs.examples, training.member)
    # The caller's own stream of random numbers is left as it was.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Network(start, columns, 0 if theta is None else theta.shape[1], candidate.width)


def _minibatches(training: Labelled, size: int, random: np.random.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """One pass: the next `size` examples of every model, each model's in an order of its own."""
    models, examples = training.member.shape
    order = torch.from_numpy(random.permuted(np.tile(np.arange(examples), (models, 1)), axis=1))
    rows = torch.arange(models)[:, None]
    for some in order.split(size, dim=1):
        yield training.inputs.examples[rows, some], training.member[rows, some]


def _cross_entropy(network: Network, validation: Labelled) -> float:
    return float(binary_cross_entropy_with_logits(network.logits(validation.inputs), validation.member))


def _copy(network: Network) -> dict[str, Tensor]:
    return {name: values.clone() for name, values in network.state_dict().items()}
