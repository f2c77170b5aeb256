"""The distinct quantized models that training visits under one quantizer, with their losses and the rates from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from quantleak.arrays import packed
from quantleak.errors import InputError
from quantleak.store.rows import RowBuffer, Storage
from quantleak.theory import Rates, rates
from quantleak.trajectory.distinct import DistinctDigests, DistinctVectors

LOSS_BATCH = 2**20
"""Bytes of losses computed at a time."""

VECTOR_BATCH = 2**23
"""Bytes of vectors handled at a time."""

FIRST_BATCH = 64
"""Vectors whose losses are computed at a time before the number of validation examples is known."""


class Trajectory:
    r"""The set of distinct elements of `Theta_bar` that each of several models visits, with their validation losses.

    Algorithm 1 of [Aubinais2025]_ keeps the losses of the quantized model after every epoch. A quantized model
    repeats, so each distinct one is kept, and its losses are computed, once. Two are one if they are equal in every
    bit but for the sign of zero; nothing is shared between models.

    With `keep_vectors`, vectors are kept and compared exactly, and :meth:`tables` returns them: K distinct vectors of P
    numbers take K (4 P + 4 N) bytes, half of that for P where bfloat16 holds them. Without, the SHA-256 of a vector
    takes its place as soon as its losses are computed: K (32 + 4 N) bytes, whatever P is. Losses are computed for the
    same batches of vectors either way, so that the rates are the same, bit for bit.

    Args:
        models: Number of models, M.
        losses: Per-sample losses float32 [B, N] of B stacked vectors [B, P] on the N validation examples. It is called
            with vectors of several models at once, each once. None if :meth:`add` brings all losses.
        keep_vectors: Whether vectors are kept, or digests only.
        memory: Bytes that vectors and losses may take in memory; the rest goes to a temporary file.
        folder: Folder of that file; None takes the system's.

    Example:
        >>> trajectory = Trajectory(1, lambda vectors: (vectors - torch.tensor([0.0, 1.0])).square())
        >>> trajectory.update(torch.tensor([[[1.0], [2.0], [1.0]]]))
        >>> trajectory.elements, trajectory.rates()[0].r_q.value
        ([2], 2.0)
    """

    def __init__(
        self,
        models: int,
        losses: Callable[[Tensor], Tensor] | None = None,
        *,
        keep_vectors: bool = True,
        memory: int = 2**30,
        folder: Path | None = None,
    ) -> None:
        self.models = models
        self.losses = losses
        self.keep_vectors = keep_vectors
        self._memory = memory, folder
        self._closed: tuple[list[int], list[Rates]] | None = None
        self._kind: tuple[int, torch.dtype] | None = None  # P and dtype
        self._reset()

    @property
    def elements(self) -> list[int]:
        """Number of distinct quantized models that each model has visited."""
        if self._closed is not None:
            return self._closed[0]
        return [int(count) for count in np.bincount(self._distinct.owner, minlength=self.models)]

    def update(self, elements: Tensor | ArrayLike) -> None:
        """Visit the quantized models of the next evaluated epochs.

        Args:
            elements: Floating-point [models, epochs, P]: everything that determines the predictions, quantized and
                rounded.

        Raises:
            InputError: If the shape or dtype does not fit, or a loss is NaN.
            RuntimeError: After `rates()`, which drops the losses.
        """
        if not isinstance(elements, Tensor) or elements.layout != torch.strided:
            elements = torch.from_numpy(packed(elements, "elements"))
        self._refuse_unfit(elements)
        vectors = elements.detach().cpu()
        at_once = max(1, VECTOR_BATCH // max(1, vectors.shape[2] * vectors.element_size()))
        for epochs in vectors.split(max(1, at_once // self.models), dim=1):
            # Epoch by epoch, so that each model's vectors are stored in the order of its visits.
            visits = self._distinct.moved(epochs).T.nonzero()
            rows = epochs.flatten(0, 1)
            for epoch, model in (some.T for some in visits.split(at_once)):
                self._distinct.add(rows.index_select(0, model * epochs.shape[1] + epoch), model.numpy())
                self._compute_missing(wait=True)

    def has(self, model: int, digest: bytes) -> bool:
        """Whether a model has visited the quantized model with this digest; of a trajectory of digests only.

        Raises:
            InputError: If the trajectory keeps vectors.
            RuntimeError: After `rates()`, which drops the losses.
        """
        return (model, digest) in self._digests()

    def add(self, model: int, digest: bytes, losses: Tensor | ArrayLike | Callable[[], Tensor]) -> bool:
        """Visit one quantized model by its digest; for what is never one vector, such as modules quantized in turn.

        It may be mixed with :meth:`update` if digests are those of `quantleak.trajectory.fingerprint.vector_digest`.

        Args:
            model: Number of the model, from 0 to M - 1.
            digest: SHA-256 of everything that determines its predictions, 32 bytes.
            losses: Its per-sample losses [N], or a function that computes them, called only if the digest is new.

        Returns:
            Whether it is new.

        Raises:
            InputError: If the trajectory keeps vectors, there is no such model, the losses have another shape than
                those before, or a loss is NaN. The trajectory is then as it was.
            RuntimeError: After `rates()`, which drops the losses.
        """
        digests = self._digests()
        if not 0 <= model < self.models or len(digest) != 32:
            raise InputError(
                f"add() takes a model from 0 to {self.models - 1} and a SHA-256 of 32 bytes, got model {model} and "
                f"{len(digest)} bytes."
            )
        if (model, digest) in digests:
            return False
        self._compute_missing(wait=False)
        found = losses() if callable(losses) else losses
        self._losses.append(self._usable(packed(found, "losses")[None], 1, model))
        digests.add_digest(model, digest)
        return True

    def rates(self, *, certificate: bool = False, keep: bool = False) -> list[Rates]:
        """What the theory says about each model, from its own loss table.

        Args:
            certificate: Also find the start of the certificate, see `quantleak.theory.rates`.
            keep: Keep vectors and losses, so that updates may follow; otherwise they are dropped.

        Raises:
            InputError: If nothing was visited.
        """
        if self._closed is not None:
            return self._closed[1]
        found = [rates(losses, certificate=certificate) for losses in self.loss_tables()]
        if not keep:
            self._closed = self.elements, found
            self._reset()
        return found

    def loss_tables(self) -> Iterator[Float[Tensor, "elements examples"]]:
        """The losses [K, N] of each model's distinct quantized models, in the order of their first visits.

        Raises:
            InputError: If nothing was visited.
            RuntimeError: After `rates()`, which drops the losses.
        """
        return (self._losses.fetch(rows) for rows in self._rows())

    def tables(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Each model's distinct vectors [K, P] in the order of their first visits, and their losses [K, N].

        Raises:
            InputError: If nothing was visited, or the trajectory keeps digests only.
            RuntimeError: After `rates()`, which drops the losses.
        """
        distinct = self._distinct
        if not isinstance(distinct, DistinctVectors):
            raise InputError("This trajectory keeps digests only, no vectors; make it with keep_vectors=True.")
        return ((distinct.fetch(rows), self._losses.fetch(rows)) for rows in self._rows())

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on, as tensors, numbers and digests.

        Raises:
            RuntimeError: After `rates()`, which drops the losses.
        """
        self._refuse_if_closed()
        self._compute_missing(wait=False)
        return {"models": self.models, "losses": self._losses.span(0, len(self._losses)), **self._distinct.state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from `state_dict()` of a trajectory of the same kind over as many models.

        Raises:
            InputError: If the state is of another number of models, or of another kind.
        """
        if state["models"] != self.models:
            raise InputError(f"This state is of a trajectory of {state['models']} models, this one has {self.models}.")
        if ("digests" in state) == self.keep_vectors:
            kinds = ("vectors", "digests only") if self.keep_vectors else ("digests only", "vectors")
            raise InputError("This trajectory keeps {}, and the state is of one that keeps {}.".format(*kinds))
        self._closed = None
        self._reset()
        if len(state["losses"]):
            self._distinct.load(state)
            self._losses.append(state["losses"])
            if self.keep_vectors:
                self._kind = (state["width"], state["elements"].dtype)

    def _reset(self) -> None:
        """Nothing visited, nothing in memory."""
        storage = Storage(*self._memory)
        self._distinct = DistinctVectors(storage) if self.keep_vectors else DistinctDigests()
        self._losses = RowBuffer(storage)  # of the distinct vectors in their order; the last may still be missing
        self._kind = None

    def _refuse_if_closed(self) -> None:
        if self._closed is not None:
            raise RuntimeError("rates() has closed this trajectory; use rates(keep=True) for a look on the way.")

    def _refuse_unfit(self, elements: Tensor) -> None:
        """Refuse elements that do not fit; the first decide P and the dtype."""
        self._refuse_if_closed()
        fits = elements.ndim == 3 and len(elements) == self.models and elements.is_floating_point()
        kind = (elements.shape[-1], elements.dtype)
        if not fits or kind != (self._kind or kind):
            before = " with P and dtype {} and {} as before".format(*self._kind) if self._kind else ""
            raise InputError(
                f"elements must be a floating-point tensor [models={self.models}, epochs, P]{before}, got "
                f"{elements.dtype} of shape {tuple(elements.shape)}."
            )
        self._kind = kind

    def _digests(self) -> DistinctDigests:
        self._refuse_if_closed()
        if isinstance(self._distinct, DistinctDigests):
            return self._distinct
        raise InputError("This trajectory keeps vectors, and knows no digests; make it with keep_vectors=False.")

    def _rows(self) -> Iterator[Tensor]:
        """By model, the positions of its distinct quantized models."""
        self._refuse_if_closed()
        if not len(self._distinct):
            raise InputError("This trajectory has visited no element; call update(elements) after an epoch first.")
        self._compute_missing(wait=False)
        owner = torch.from_numpy(self._distinct.owner)
        for model in range(self.models):
            yield (owner == model).nonzero().flatten()

    @property
    def _batch(self) -> int:
        """Vectors whose losses are computed at a time."""
        width = self._losses.width if len(self._losses) else 0
        by_losses: int = LOSS_BATCH // (width * self._losses.dtype.itemsize) if width else FIRST_BATCH
        return max(1, min(by_losses, VECTOR_BATCH // (4 * max(1, self._kind[0] if self._kind else 0))))

    def _compute_missing(self, *, wait: bool) -> None:
        """Compute the missing losses; with `wait`, leave the rest until a whole batch has come together."""
        distinct = self._distinct
        while (missing := len(distinct) - len(self._losses)) and (missing >= self._batch or not wait):
            start = len(self._losses)
            stop = start + min(missing, self._batch)
            if self.losses is None:
                raise InputError("This trajectory has no function that computes losses: give Trajectory(losses=...).")
            found = packed(self.losses(distinct.span(start, stop)), "losses(elements)")
            self._losses.append(self._usable(found, stop - start))
            if isinstance(distinct, DistinctDigests):
                distinct.drop(stop - start)

    def _usable(self, losses: NDArray[Any], rows: int, model: int | None = None) -> Tensor:
        """The losses [rows, N] that come next, of `model` or as the set says; refused by shape, or for a NaN."""
        width = self._losses.width if len(self._losses) else None
        if losses.ndim != 2 or len(losses) != rows or losses.shape[1] != (width or losses.shape[1]):
            raise InputError(
                f"losses(elements) must return [{rows}, {width or 'N'}], a row for each element, got shape "
                f"{losses.shape}."
            )
        table = torch.from_numpy(losses if losses.dtype.kind == "f" else losses.astype(np.float64))
        if bool(torch.isnan(table.sum())) and bool((diverged := torch.isnan(table).any(1)).any()):
            if model is None:
                model = int(self._distinct.owner[len(self._losses) + int(diverged.nonzero()[0])])
            raise InputError(
                f"Model {model}, quantized, has NaN losses: it has diverged; lower its learning rate or leave it out."
            )
        return table
