"""Follows a training loop of the user's own, whatever its framework: the rates of its quantized models."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from quantleak.errors import InputError
from quantleak.ptq import Elementwise
from quantleak.ptq.procedure import UnquantizedDtype
from quantleak.quantizers import PAPER_A, Quantizer, quantizer
from quantleak.renamed import takes_old_names, with_new_names
from quantleak.trajectory.batches import Order, Pass, moved, refuse_unordered
from quantleak.trajectory.losses import per_sample
from quantleak.trajectory.snapshot import Caller, Element, Snapshot, unwrapped
from quantleak.trajectory.tracked import TrackedRates
from quantleak.trajectory.trajectory import Trajectory
from quantleak.trajectory.undisturbed import undisturbed

AT_ONCE = 2**29
"""Bytes of quantized copies of the model that share one pass through the loader."""

STATE = 1
"""Version of what `state_dict` returns."""


@takes_old_names
class TrajectoryTracker:
    r"""Follows the elements of `Theta_bar` that one training run visits: Algorithm 1 of [Aubinais2025]_.

    Call :meth:`update` after every epoch and :meth:`compute` when done; state survives a restart through
    :meth:`state_dict`. An update quantizes the model's weights, computes the per-sample losses of every quantized
    model on the validation loader, and leaves everything that the model reaches, modes and random states bit for bit as
    they were (see :class:`quantleak.trajectory.undisturbed.Reachable`). An element seen before is not evaluated again.

    What is computed:

    1. Weights are floating-point parameters of two or more dimensions, as the module stores them (a parametrized
       module stores its parametrization); tensors shared between modules are quantized once. All other
       floating-point parameters and buffers are rounded to `unquantized_dtype`; integer buffers stay, as part of the
       element.
    2. Parameters are read as float32. Losses are computed in float32 (float64 in a float64 model), outside autocast:
       how the model is trained does not matter.
    3. The validation set must come in the same order at every update; it is compared batch by batch.

    Args:
        quantizers: Specs or quantizers. Those whose models are no discrete set, such as `identity`, have no r_Q and are
            left out.
        loss: `binary` (one logit), `multiclass` (one logit a class), `regression` (squared error), or a function
            `(outputs, targets) -> losses [B]`, one for each example.
        forward: `(model, batch) -> (outputs, targets)` for batches other than `(inputs, targets)` and mappings with
            `labels`.
        unquantized_dtype: To what everything that is not a weight is rounded: `bfloat16` or `float16`.
        validation_limit: Use only the first so many examples, in the loader's order, and stop reading there; if the
            set is sorted, put it into a random but fixed order first.
        memory: Bytes of losses to keep in memory, for all quantizers together; the rest goes to a temporary file.
            A loss takes 4 bytes for each element and validation example.

    Raises:
        InputError: Settings that cannot be used, each reported with what to write instead.

    Example:
        >>> model, batch = nn.Linear(3, 1), (torch.eye(3), torch.tensor([0, 1, 1]))
        >>> tracker = TrajectoryTracker(quantizers=["sign"], loss="binary")
        >>> for weight in (1.0, -1.0, 1.0):
        ...     _ = model.weight.data.fill_(weight)
        ...     tracker.update(model, [batch])
        >>> tracker.compute()["sign"].r_q.elements
        2
    """

    def __init__(
        self,
        *,
        loss: str | Callable[[Any, Any], Any],
        quantizers: Sequence[str | Quantizer] = PAPER_A,
        forward: Callable[[Any, Any], Any] | None = None,
        unquantized_dtype: UnquantizedDtype = "bfloat16",
        validation_limit: int | None = None,
        memory: int = 2**30,
    ) -> None:
        found = [quantizer(spec) for spec in quantizers]
        self.quantizers = {
            q.spec: Elementwise(rule=q, unquantized_dtype=unquantized_dtype) for q in found if q.discrete
        }
        if not self.quantizers:
            raise InputError(
                f"None of the quantizers {[q.spec for q in found]} gives a discrete set, without which there is no "
                "r_Q; name at least one such as ternary:0.9."
            )
        if unquantized_dtype not in ("bfloat16", "float16"):
            raise InputError(
                f"unquantized_dtype must be bfloat16 or float16, got '{unquantized_dtype}': biases, norms and buffers "
                "that stay real make no discrete set, and there is no r_Q."
            )
        if validation_limit is not None and validation_limit < 1:
            raise InputError(f"validation_limit must be at least 1, got {validation_limit}; None takes all examples.")
        self.unquantized_dtype, self.validation_limit, self.memory = unquantized_dtype, validation_limit, memory
        self._loss, self._forward = per_sample(loss), forward
        self.reset()

    def reset(self) -> None:
        """Forget everything; the next update begins another run."""
        share = self.memory // len(self.quantizers)
        self.updates = 0
        self._found: TrackedRates | None = None
        self._order = Order()
        self._trajectories = {spec: Trajectory(1, keep_vectors=False, memory=share) for spec in self.quantizers}

    @property
    def elements(self) -> dict[str, int]:
        """Distinct elements so far, by quantizer."""
        return {spec: trajectory.elements[0] for spec, trajectory in self._trajectories.items()}

    def update(self, model: nn.Module, loader: Iterable[Any]) -> None:
        """Look at the model as it is now; nothing of it changes.

        Args:
            model: Any module, also inside DDP, Fabric or `torch.compile`.
            loader: The validation set: a `DataLoader` without shuffling, or any iterable of batches that can be read
                again. Batches are moved to the model's device.

        Raises:
            InputError: A loader or a loss that cannot be used, or a quantized model whose losses are NaN. The tracker
                is then as it was before the call.
        """
        refuse_unordered(loader)
        model = unwrapped(model)
        with undisturbed(model, loader) as reached:
            snapshot = Snapshot(model)
            caller = Caller(model, reached, self._forward)
            device = snapshot.flat.device
            order = Order(self._order.digests)
            found: list[tuple[str, bytes, Tensor]] = []
            for group in self._new(snapshot):
                losses = self._pass(caller, list(group.values()), order.over(loader), device)
                _refuse_nan(losses, list(group))
                found += [(spec, e.digest, row) for (spec, e), row in zip(group.items(), losses, strict=True)]
        for spec, digest, row in found:
            self._trajectories[spec].add(0, digest, row)
        self._order, self._found = order, None
        self.updates += 1

    def compute(self) -> TrackedRates:
        """The rates so far; updates may follow.

        Raises:
            InputError: If there was no update.
        """
        if self._found is not None:
            return self._found
        if self.updates == 0:
            raise InputError("TrajectoryTracker.compute() needs at least one update(model, loader) first.")
        found = {spec: trajectory.rates(keep=True)[0] for spec, trajectory in self._trajectories.items()}
        examples = next(iter(found.values())).r_q.n_validation
        self._found = TrackedRates(
            rates=found, updates=self.updates, n_validation=examples, unquantized_dtype=self.unquantized_dtype
        )
        return self._found

    def adopt(self, found: TrackedRates) -> None:
        """Take over what the tracker of another process found: `compute` returns it until the next update."""
        self._found = found

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on, as tensors and plain values; `torch.load(weights_only=True)` reads it.

        It holds every loss, 4 bytes for each element and validation example; `validation_limit` keeps it small.
        """
        return {
            "version": STATE,
            "settings": self._settings(),
            "updates": self.updates,
            "order": self._order.digests,
            "tables": {spec: trajectory.state_dict() for spec, trajectory in self._trajectories.items()},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from the `state_dict()` of a tracker with the same quantizers and settings.

        Raises:
            InputError: If it is the state of another kind of tracker.
        """
        settings = with_new_names(state.get("settings"))
        if state.get("version") != STATE or settings != self._settings():
            raise InputError(
                f"This state is of a tracker with {settings}, this one has {self._settings()}; make it "
                "with the same settings."
            )
        self.reset()
        self.updates = state["updates"]
        self._order = Order(state["order"])
        for spec, table in state["tables"].items():
            # The first states of this version name neither the number of models nor the model of each digest.
            owner = torch.zeros(len(table["digests"]), dtype=torch.int64)
            self._trajectories[spec].load_state_dict({"models": 1, "owner": owner, **table})

    def _settings(self) -> dict[str, Any]:
        return {
            "quantizers": list(self.quantizers),
            "unquantized_dtype": self.unquantized_dtype,
            "validation_limit": self.validation_limit,
        }

    def _new(self, snapshot: Snapshot) -> Iterator[dict[str, Element]]:
        """The elements not seen before, in groups that share a pass through the loader."""
        group: dict[str, Element] = {}
        most = max(1, AT_ONCE // (4 * snapshot.layout.size))
        for spec, q in self.quantizers.items():
            element = snapshot.quantized(q)
            if not self._trajectories[spec].has(0, element.digest):
                group[spec] = element
            if len(group) == most:
                yield group
                group = {}
        if group:
            yield group

    def _pass(self, caller: Caller, elements: list[Element], batches: Pass, device: torch.device) -> Tensor:
        """Losses float32 [K, N] of K elements, one pass through the loader."""
        columns: list[Tensor] = []
        examples = 0
        for batch in batches:
            here = moved(batch, device, caller.dtype)
            columns.append(torch.stack([self._loss(*caller.run(e.tensors, here)) for e in elements]).cpu())
            examples += columns[-1].shape[1]
            if self.validation_limit is not None and examples >= self.validation_limit:
                break
        batches.end()
        return torch.cat(columns, 1)[:, : self.validation_limit]


def _refuse_nan(losses: Tensor, specs: list[str]) -> None:
    bad = torch.isnan(losses).any(1)
    if bool(bad.any()):
        spec = specs[int(bad.nonzero()[0])]
        raise InputError(
            f"The model quantized by {spec} has NaN losses: it has diverged; lower the learning rate, or leave {spec} "
            "out."
        )
