"""The plan of an audit: data cut and encoded, memberships drawn, the network chosen: all that fixes its numbers."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from quantleak.arrays import read_only_tensor
from quantleak.auditing.settings import Settings
from quantleak.data import Dataset, Split, membership, split
from quantleak.errors import InputError
from quantleak.fleet import TRAINERS, Fleet, constants, outputs_of, rows_of, trainer
from quantleak.models import Network, network
from quantleak.ptq import Layout, Procedure, procedure
from quantleak.ptq.modules.layout import state
from quantleak.store import differences
from quantleak.threads import one_thread


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
    """What every job of an audit needs; holds arrays, not tensors, so that workers can share its memory.

    Attributes:
        settings: As checked; `trainer` is the name of the one that trains.
        dataset: What is audited.
        parts: The split of the data set.
        features: `[N, ...]` float32, fitted on the population.
        targets: `[N]`, class numbers, or standardised values for regression.
        member: bool `[models, pool]`.
        network: The family of models.
        procedures: By spec, what quantizes the models; the full-precision baseline first.
    """

    settings: Settings
    dataset: Dataset
    parts: Split
    features: np.ndarray
    targets: np.ndarray
    member: np.ndarray
    network: Network
    procedures: Mapping[str, Procedure]

    @property
    def identity(self) -> dict[str, Any]:
        """What fixes the numbers: settings, data, the trainer that was chosen, what quantization reads of the data."""
        chosen = {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self.settings).items()}
        data = {"name": self.dataset.name, "digest": self.dataset.digest}
        found = {"settings": chosen, "data": data, "network": network_digest(self.network)}
        return found | ({"calibration": self.calibration} if self.calibration else {})

    @property
    def calibration(self) -> dict[str, int]:
        """How many of a model's training examples each procedure reads; those that need no data are left out."""
        return {spec: one.calibration_rows for spec, one in self.procedures.items() if one.calibration_rows}

    @property
    def buffers(self) -> dict[str, list[str]]:
        """Names of a model's buffers: those that are rounded, integers that stay exact, and constants left alone."""
        slots = self.network.layout.slots
        found = {
            "buffers_rounded": [slot.name for slot in slots if slot.role == "buffer"],
            "buffers_exact": [slot.name for slot in slots if slot.role == "exact"],
            "buffers_constant": sorted(self.network.constants),
        }
        return {kind: names for kind, names in found.items() if names}

    def with_trainer(self, name: str) -> Plan:
        """The same plan with the trainer settled, and so what of a model is constant."""
        found = constants(self.fleet(), TRAINERS[name])
        return replace(
            self,
            settings=replace(self.settings, trainer=name),
            network=replace(self.network, constants=found),
        )

    def fleet(self) -> Fleet:
        """The fleet, its data on the device of the settings."""
        device = torch.device(self.settings.device)
        return Fleet(
            network=self.network,
            task=self.dataset.task,
            features=read_only_tensor(self.features).to(device),
            targets=read_only_tensor(self.targets).to(device),
            members=tuple(self.parts.pool[rows] for rows in rows_of(self.member)),
            training=self.settings.training,
            seed=self.settings.seed,
            block=self.settings.block_size,
        )

    def part(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Features and targets of one part of the split."""
        rows = getattr(self.parts, name)
        return self.features[rows], self.targets[rows]


def make_plan(dataset: Dataset, settings: Settings, begun: Mapping[str, Any] | None = None) -> Plan:
    """Cut, encode, draw memberships, build the network and settle which trainer trains.

    Args:
        dataset: What is audited.
        settings: As checked; `auto` is resolved here.
        begun: Identity of a run begun earlier. If it is this one, what `auto` chose then is kept, whatever a new timing
            would say.

    Raises:
        InputError: Too few examples for the split, an unknown model, a trainer that cannot train it.
    """
    parts = split(dataset, settings.seed)
    features = dataset.encode(parts.population)
    classes = 0 if dataset.classes is None else len(dataset.classes)
    plan = Plan(
        settings=replace(settings, device=str(resolve_device(settings.device))),
        dataset=dataset,
        parts=parts,
        features=features,
        targets=dataset.encode_targets(parts.population),
        member=membership(settings.models, dataset.groups[parts.pool], settings.seed),
        network=network(settings.model, features.shape[1:], outputs_of(dataset.task, classes)),
        procedures={spec: procedure(spec, settings.unquantized_dtype) for spec in settings.quantizers},
    )
    earlier = {**(begun or {}).get("settings", {})}.get("trainer")
    if settings.trainer == "auto" and earlier in TRAINERS:
        same = replace(plan, settings=replace(plan.settings, trainer=earlier))
        if not differences(begun or {}, json.loads(json.dumps(same.identity))):
            settings = same.settings
    with one_thread():
        return plan.with_trainer(trainer(settings.trainer, plan.fleet().blocks()[0]).name)


def network_digest(family: Network) -> str:
    """SHA-256 of what a model is made of: its structure, its start, and the source of a user's own module.

    An audit of a function that was edited since is another audit.
    """
    module = family.module(seed=0)
    whole = Layout.of(module, exact=True).flatten(state(module))
    total = hashlib.sha256(repr(module).encode() + whole.numpy().tobytes())
    for name in sorted({family.spec.partition(":")[0], type(module).__module__}):
        source = getattr(sys.modules.get(name), "__file__", None)
        if source and not name.startswith("torch."):
            total.update(Path(source).read_bytes())
    return total.hexdigest()


def resolve_device(name: str) -> torch.device:
    """The torch device of a setting; `auto` is CUDA where there is one.

    Raises:
        InputError: A device that torch does not know or this machine does not have.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.ones(1, device=device).cpu()  # some devices exist but hold no numbers
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"Device '{name}' cannot be used: {str(error).splitlines()[0]} Try --device cpu.") from error
    return device
