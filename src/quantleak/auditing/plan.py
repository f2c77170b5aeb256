"""The plan of an audit: data cut and encoded, memberships drawn, the network chosen: all that fixes its numbers."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from quantleak.arrays import read_only_tensor
from quantleak.auditing.calibration import MOST, Calibration, Public, default_examples, public_examples, sizes
from quantleak.auditing.settings import Settings
from quantleak.data import Dataset, Split, membership, split
from quantleak.errors import InputError
from quantleak.fleet import TRAINERS, Fleet, constants, outputs_of, rows_of, trainer
from quantleak.models import FLIP, IDENTITY, Network, network, require_images
from quantleak.ptq import Layout, Noise, Procedure, procedure
from quantleak.ptq.modules.layout import state
from quantleak.ptq.procedure import HELD_OUT, PUBLIC, SYNTHETIC
from quantleak.ptq.synthetic import require_statistics
from quantleak.rng import stream
from quantleak.store import differences
from quantleak.threads import one_thread

NOISE_FACTORS = (0.125, 0.25, 0.5, 2.0)
"""Sizes of noise beside that of a quantizer's own error, at which leakage and utility are measured too."""


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
        procedures: By spec, what quantizes the models; the full-precision baseline first, then the quantizers of the
            settings, at last noise of other sizes than theirs.
        calibration_examples: How many examples a model is calibrated on at most.
        public: Public examples for the quantizers that are calibrated on these.
    """

    settings: Settings
    dataset: Dataset
    parts: Split
    features: np.ndarray
    targets: np.ndarray
    member: np.ndarray
    network: Network
    procedures: Mapping[str, Procedure]
    calibration_examples: int
    public: Public

    @property
    def baseline(self) -> str:
        """The spec of the full-precision baseline."""
        return next(spec for spec, one in self.procedures.items() if one.is_baseline)

    @cached_property
    def calibration(self) -> Calibration:
        """The examples that the procedures read of the data."""
        return Calibration(
            seed=self.settings.seed,
            features=self.features,
            parts=self.parts,
            member=self.member,
            groups=self.dataset.groups,
            numbers=self.dataset.rows,
            public=self.public,
            read=sizes(self.procedures, self.calibration_examples),
        )

    @property
    def queries(self) -> tuple[str, ...]:
        """Views of each example that attacks read signals of: as set, or as it is and, if models saw that, mirrored."""
        flipped = FLIP in self.settings.augment.split(",")
        return self.settings.queries or ((IDENTITY, FLIP) if flipped else (IDENTITY,))

    @property
    def identity(self) -> dict[str, Any]:
        """What fixes the numbers: settings, data, the trainer that was chosen, what quantization reads of the data."""
        chosen = {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self.settings).items()}
        data = {"name": self.dataset.name, "digest": self.dataset.digest}
        found = {"settings": chosen, "data": data, "network": network_digest(self.network)}
        return found | ({"calibration": self.calibration.identity} if self.calibration.read else {})

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
            block=self.block,
        )

    @property
    def block(self) -> int:
        """Models trained side by side.

        Of those that are trained one by one, every model is a job of its own: a kill loses no finished one.
        """
        alone = TRAINERS[self.settings.trainer].one_by_one if self.settings.trainer in TRAINERS else False
        return self.settings.block or (1 if alone else self.settings.block_size)

    def part(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Features and targets of one part of the split."""
        rows = getattr(self.parts, name)
        # The pool of data that come as two files is one piece, which need not be copied.
        together = len(rows) > 0 and rows[-1] - rows[0] == len(rows) - 1
        where = slice(rows[0], rows[-1] + 1) if together else rows
        return self.features[where], self.targets[where]


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
    procedures = {spec: procedure(spec, settings.unquantized_dtype) for spec in settings.quantizers}
    procedures |= {spec: procedure(spec, settings.unquantized_dtype) for spec in sizes_of_noise(procedures)}
    sources = {source for source, _ in sizes(procedures, MOST).values()}
    parts, examples = _cut(dataset, settings, HELD_OUT in sources)
    features = dataset.encode(parts.population)
    require_images(settings.queries, features.shape[1:])
    if SYNTHETIC in sources:
        require_statistics(features)
    classes = 0 if dataset.classes is None else len(dataset.classes)
    public = Public(features=features[:0], rows=dataset.rows[:0])
    if PUBLIC in sources:
        most = settings.models * examples
        public = public_examples(dataset, settings.public_images, parts.population, most, settings.seed)
        if len(public.features) < examples:
            raise InputError(
                f"There are {len(public.features)} public images, too few to calibrate each model on {examples}. Give "
                f"more, or --set calibration_examples={len(public.features)}."
            )
    plan = Plan(
        settings=replace(settings, device=str(resolve_device(settings.device))),
        dataset=dataset,
        parts=parts,
        features=features,
        targets=dataset.encode_targets(parts.population),
        member=membership(settings.models, dataset.groups[parts.pool], settings.seed),
        network=network(settings.model, features.shape[1:], outputs_of(dataset.task, classes)),
        procedures=procedures,
        calibration_examples=examples,
        public=public,
    )
    earlier = {**(begun or {}).get("settings", {})}.get("trainer")
    if settings.trainer == "auto" and earlier in TRAINERS:
        same = replace(plan, settings=replace(plan.settings, trainer=earlier))
        if not differences(begun or {}, json.loads(json.dumps(same.identity))):
            settings = same.settings
    with one_thread():
        return plan.with_trainer(trainer(settings.trainer, plan.fleet().blocks()[0]).name)


def _cut(dataset: Dataset, settings: Settings, held_out: bool) -> tuple[Split, int]:
    """The split, with a part for calibration if one is needed, and how many examples a model is calibrated on."""
    parts = split(dataset, settings.seed)
    if settings.pool:
        parts = replace(parts, pool=_some(parts.pool, dataset, settings))
    members = int(membership(settings.models, dataset.groups[parts.pool], settings.seed).sum(1).min())
    examples = settings.calibration_examples or default_examples(members, len(parts.validation) if held_out else None)
    if examples >= members > 1:
        raise InputError(
            f"calibration_examples={examples} is no part of the {members} members of a model: some must be left, to "
            f"compare with. Give at most {members // 2}."
        )
    if not held_out:
        return parts, examples
    most = len(parts.validation) // 4
    try:
        if 0 < most < examples:
            raise InputError(
                f"Calibration on held-out data takes 2 x {examples} examples out of the {len(parts.validation)} of the "
                "validation part, at most half of it."
            )
        # Twice as many, so that each of them calibrates half of the models.
        return replace(split(dataset, settings.seed, calibration=2 * examples), pool=parts.pool), examples
    except InputError as error:
        advice = f"Calibrate on fewer: --set calibration_examples={max(1, min(most, examples // 2))}."
        raise InputError(f"{error} {advice}") from error


def _some(pool: np.ndarray, dataset: Dataset, settings: Settings) -> np.ndarray:
    """At most so many examples of the pool as the settings say, whole groups drawn at random, classes alike; sorted."""
    groups, first, index, sizes = np.unique(
        dataset.groups[pool], return_index=True, return_inverse=True, return_counts=True
    )
    strata = np.zeros(len(groups), int) if dataset.classes is None else dataset.targets[pool][first]
    keys = stream(settings.seed, "pool").random(len(groups))
    # Where a group stands among those of its class: whatever the beginning is, it holds every class at its share.
    order = np.lexsort((keys, strata))
    place = np.empty(len(groups))
    counts = np.bincount(strata)
    place[order] = np.concatenate([(np.arange(count) + 0.5) / count for count in counts if count])
    by_place = np.lexsort((keys, place))
    drawn = by_place[sizes[by_place].cumsum() <= settings.pool]
    return np.asarray(pool[np.isin(index, drawn)])


def sizes_of_noise(procedures: Mapping[str, Procedure]) -> list[str]:
    """Specs of noise of other sizes beside each control that is asked for, to interpolate between them."""
    controls = [one for one in procedures.values() if isinstance(one, Noise) and one.factor == 1]
    found = [one.times(factor).of for one in controls for factor in NOISE_FACTORS]
    return [spec for spec in (f"{Noise.name}:{of}" for of in found) if spec not in procedures]


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
