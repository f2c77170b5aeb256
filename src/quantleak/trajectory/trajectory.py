"""The elements that one quantizer visits while models train, and their losses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from quantleak.arrays import packed
from quantleak.errors import InputError
from quantleak.store.rows import Budget
from quantleak.theory import Rates, rates
from quantleak.trajectory.distinct import Elements
from quantleak.trajectory.evaluated import VECTOR_BATCH, Evaluated


class Trajectory:
    r"""The set of distinct elements of `Theta_bar` that each of several models visits, with their validation losses.

    Algorithm 1 of [Aubinais2025]_ keeps the losses of the quantized model after every epoch. A quantized model
    repeats, so each distinct element is kept, and its losses are computed, once. Two elements are one if they are
    equal in every bit but for the sign of zero; elements are never shared between models.

    Args:
        models: Number of models, M.
        losses: Per-sample losses float32 [B, N] of B stacked elements [B, P] on the N validation examples. It is called
            with elements of several models at once, each element once.
        memory: Bytes that elements and losses may take in memory; the rest goes to a temporary file.
        folder: Folder of that file; None takes the system's.

    Example:
        >>> trajectory = Trajectory(1, lambda elements: (elements - torch.tensor([0.0, 1.0])).square())
        >>> trajectory.update(torch.tensor([[[1.0], [2.0], [1.0]]]))
        >>> trajectory.elements, trajectory.rates()[0].r_q.value
        ([2], 2.0)
    """

    def __init__(
        self, models: int, losses: Callable[[Tensor], Tensor], *, memory: int = 2**30, folder: Path | None = None
    ) -> None:
        self.models = models
        self.losses = losses
        self._budget = Budget(memory, folder)
        self._elements: Elements | None = None
        self._evaluated: Evaluated | None = None
        self._rates: list[Rates] | None = None
        self._last: Tensor | None = None  # the last elements seen, as _moved compares them

    @property
    def elements(self) -> list[int]:
        """Number of distinct elements each model has visited."""
        owner = np.empty(0, np.int64) if self._elements is None else self._elements.owner
        return [int(count) for count in np.bincount(owner, minlength=self.models)]

    def update(self, elements: Tensor | ArrayLike) -> None:
        """Visit the elements of the next evaluated epochs.

        Args:
            elements: Floating-point [models, epochs, P]: everything that determines the predictions, quantized and
                rounded.

        Raises:
            InputError: If the shape or dtype does not fit, or a loss is NaN.
            RuntimeError: After `rates()`, which drops the losses.
        """
        if not isinstance(elements, Tensor) or elements.layout != torch.strided:
            elements = torch.from_numpy(packed(elements, "elements"))
        store, evaluated = self._open(elements)
        vectors = elements.detach().cpu()
        at_once = max(1, VECTOR_BATCH // max(1, vectors[:, :1].numel() * vectors.element_size()))
        for epochs in vectors.split(at_once, dim=1):
            # Epoch by epoch, so that each model's elements are stored in the order of its visits.
            epoch, model = self._moved(epochs).T.nonzero(as_tuple=True)
            store.add(epochs[model, epoch], model.numpy())
            evaluated.catch_up(store, wait=True)

    def rates(self, *, certificate: bool = False, keep: bool = False) -> list[Rates]:
        """What the theory says about each model, from its own loss table.

        Args:
            certificate: Also find the start of the certificate, see `quantleak.theory.rates`.
            keep: Keep elements and losses, so that updates may follow; otherwise they are dropped.

        Raises:
            InputError: If nothing was visited.
        """
        if self._rates is not None:
            return self._rates
        found = [rates(losses, certificate=certificate) for _, losses in self.tables()]
        if not keep:
            self._rates, self._evaluated = found, None
            if self._elements is not None:
                self._elements.forget()
            self._last = None
        return found

    def tables(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Each model's distinct elements [K, P] in the order of their first visits, and their losses [K, N].

        Raises:
            InputError: If nothing was visited.
            RuntimeError: After `rates()`, which drops the losses.
        """
        self._refuse_if_closed()
        if self._elements is None or self._evaluated is None or not len(self._elements):
            raise InputError("This trajectory has visited no element; call update(elements) after an epoch first.")
        self._evaluated.catch_up(self._elements, wait=False)
        owner = torch.from_numpy(self._elements.owner)
        for model in range(self.models):
            rows = (owner == model).nonzero().flatten()
            yield self._elements.shelf.fetch(rows)[:, : self._elements.kind[0]], self._evaluated.table.fetch(rows)

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on, as tensors and numbers.

        Raises:
            RuntimeError: After `rates()`, which drops the losses.
        """
        self._refuse_if_closed()
        state: dict[str, Any] = {"models": self.models}
        if self._elements is not None and self._evaluated is not None and len(self._elements):
            self._evaluated.catch_up(self._elements, wait=False)
            state |= self._elements.state() | {"losses": self._evaluated.table.span(0, len(self._evaluated))}
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from `state_dict()` of a trajectory over as many models.

        Raises:
            InputError: If the state is of another number of models.
        """
        if state["models"] != self.models:
            raise InputError(f"This state is of a trajectory of {state['models']} models, this one has {self.models}.")
        self._elements = self._evaluated = self._rates = self._last = None
        if "losses" in state:
            self._start(state["width"], state["elements"].dtype)
            assert self._elements is not None
            assert self._evaluated is not None
            self._elements.load(state)
            self._evaluated.append(state["losses"])

    def _refuse_if_closed(self) -> None:
        if self._rates is not None:
            raise RuntimeError("rates() has closed this trajectory; use rates(keep=True) for a look on the way.")

    def _start(self, width: int, dtype: torch.dtype) -> tuple[Elements, Evaluated]:
        self._elements = Elements(width, dtype, self._budget)
        self._evaluated = Evaluated(self.losses, width, self._budget)
        return self._elements, self._evaluated

    def _moved(self, vectors: Tensor) -> Tensor:
        """Where a model's element is not the one of the epoch before; bool [models, epochs].

        Most epochs change no quantized weight, and this comparison costs a fraction of a look into the set.
        """
        # Whole words where they fit; two zeros of different sign then count as moved, which the set puts right.
        whole = vectors.shape[-1] * vectors.element_size() % 8 == 0 and vectors.is_contiguous()
        bits = vectors.view(torch.int64) if whole else vectors
        moved = torch.ones(vectors.shape[:2], dtype=torch.bool)
        if not moved.numel():
            return moved
        if self._last is not None and self._last.dtype == bits.dtype:
            moved[:, 0] = (bits[:, 0] != self._last).any(-1)
        moved[:, 1:] = (bits[:, 1:] != bits[:, :-1]).any(-1)
        self._last = bits[:, -1].clone()
        return moved

    def _open(self, elements: Tensor) -> tuple[Elements, Evaluated]:
        """The stores for these elements, made at the first."""
        self._refuse_if_closed()
        fits = elements.ndim == 3 and len(elements) == self.models and elements.is_floating_point()
        kind = (elements.shape[-1], elements.dtype)
        if fits and (self._elements is None or self._evaluated is None):
            return self._start(*kind)
        if not fits or self._elements is None or self._evaluated is None or kind != self._elements.kind:
            before = (
                "" if self._elements is None else " with P and dtype {} and {} as before".format(*self._elements.kind)
            )
            raise InputError(
                f"elements must be a floating-point tensor [models={self.models}, epochs, P]{before}, got "
                f"{elements.dtype} of shape {tuple(elements.shape)}."
            )
        return self._elements, self._evaluated
