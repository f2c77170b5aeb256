"""Follows one block of models through training: one trajectory per quantizer."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import torch
from jaxtyping import Float
from torch import Tensor

from quantleak.fleet import LOSSES, Predictor, target_dtype
from quantleak.fleet.objective import Task
from quantleak.models import Network
from quantleak.ptq import Elementwise
from quantleak.ptq.modules.layout import Layout
from quantleak.theory import Rates, rates
from quantleak.trajectory.trajectory import Trajectory

_BUFFER_BYTES = 1 << 22  # quantizing and comparing many epochs of small models at once costs a fraction
_MEMORY = 1 << 30  # bytes of vectors and losses of a block in memory; what comes after goes to a temporary file

MOST_PARAMETERS = 1 << 20
"""Up to so many parameters a recorder keeps the vectors: comparing many small ones exactly is faster than hashing each.

Beyond, 8 quantizers x 100 epochs would spill 3 GB per model and more; a ResNet-18 (11 million parameters) 36 GB.
"""


def validation_losses(network: Network, task: Task, features: Tensor, targets: Tensor) -> Callable[[Tensor], Tensor]:
    """The function from flat vectors `[B, P]` to their per-sample losses `[B, N]` on a validation set."""
    predict, loss = Predictor(network, features), LOSSES[task]
    truth = targets.to(features.device, target_dtype(task))
    return lambda flat: loss(predict(flat), truth)


class Recorder:
    """Takes in checkpoints and hands over the rates of every (quantizer, model).

    Args:
        losses: From flat vectors `[B, P]` to per-sample losses `[B, N]`; see :func:`validation_losses`.
        layout: Where the tensors lie in a flat vector.
        quantizers: One trajectory each.
        models: How many models the block has.
        keep_vectors: Whether the trajectories keep vectors, as :meth:`tables` needs, or digests only; None decides by
            `MOST_PARAMETERS`. The rates are the same either way, see :class:`quantleak.trajectory.Trajectory`.
    """

    def __init__(
        self,
        losses: Callable[[Tensor], Tensor],
        layout: Layout,
        quantizers: Sequence[Elementwise],
        models: int,
        *,
        keep_vectors: bool | None = None,
    ) -> None:
        self._layout = layout
        keep = layout.size <= MOST_PARAMETERS if keep_vectors is None else keep_vectors
        self._trajectories = {
            q: Trajectory(models, losses, keep_vectors=keep, memory=_MEMORY // len(quantizers)) for q in quantizers
        }
        self._waiting: list[Tensor] = []

    def update(self, flat: Float[Tensor, "models parameters"]) -> None:
        """Take in the models `[models, P]` after one more evaluated epoch."""
        self._waiting.append(flat)
        if len(self._waiting) * flat.numel() * flat.element_size() >= _BUFFER_BYTES:
            self._flush()

    def rates(self) -> dict[str, list[Rates]]:
        """The rates of every model by quantizer spec; loss tables are dropped with this."""
        self._flush()
        return {q.spec: trajectory.rates() for q, trajectory in self._trajectories.items()}

    def certificates(self, models: int) -> dict[str, list[int | None]]:
        """By quantizer spec, where the certificates of the first so many models start; called before `rates`.

        Models whose losses prove nothing, such as those with one quantized model, are left out. It needs the exponents
        of nearly all competitors, several times the work of the rates.
        """
        self._flush()
        found = {
            q.spec: [rates(losses, certificate=True) for losses in islice(trajectory.loss_tables(), models)]
            for q, trajectory in self._trajectories.items()
        }
        return {
            spec: [one.certificate_start for one in some if not math.isnan(one.cramer.value)]
            for spec, some in found.items()
        }

    def tables(self) -> Iterator[dict[str, tuple[Tensor, Tensor]]]:
        """Model by model, by quantizer spec: the distinct vectors `[K, P]` and their losses `[K, N]`, copies.

        Raises:
            InputError: If digests only are kept.
        """
        self._flush()
        specs = [q.spec for q in self._trajectories]
        for found in zip(*(trajectory.tables() for trajectory in self._trajectories.values()), strict=True):
            yield dict(zip(specs, found, strict=True))

    def _flush(self) -> None:
        if self._waiting:
            flat = torch.stack(self._waiting, 1)  # [models, epochs, P]
            self._waiting = []
            for q, trajectory in self._trajectories.items():
                trajectory.update(q.quantize_flat(self._layout, flat))
