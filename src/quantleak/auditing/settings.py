"""Everything that one can choose about an audit, checked at the edge."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields, replace
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, TypeAdapter, ValidationError

from quantleak.attacks import extra_attack
from quantleak.errors import InputError, nearest
from quantleak.fleet import TRAINERS, Training, augment, optimizer
from quantleak.fleet.training import PRECISIONS, SCHEDULES
from quantleak.models import view
from quantleak.ptq import Noise, procedure
from quantleak.ptq.procedure import UnquantizedDtype
from quantleak.quantizers import BASELINE, PAPER_A
from quantleak.renamed import accept_old_names, takes_old_names

# `--set extra_attacks=a,b` gives one text.
Names = Annotated[
    tuple[str, ...],
    BeforeValidator(
        lambda names: [name.strip() for name in names.split(",") if name.strip()] if isinstance(names, str) else names
    ),
]

LEAST_POOL = 20


@takes_old_names
@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an audit does; the defaults audit the eight quantizers of paper A on a perceptron.

    Attributes:
        model: `linear`, `mlp:128`, `mlp:256,128`, for images `resnet:8` or `conv:16,32`, or `package.module:function`.
        quantizers: Specs; `quantleak list quantizers` shows all. The full-precision baseline is always audited too.
        models: How many models the fleet has; each is in turn the target of the others.
        pool: Most examples in the pool, of which each model is trained on about half; 0 takes all there are.
        epochs: Passes of every model over its members.
        optimizer: `adam:1e-3`, `adamw:1e-3?weight_decay=0.01`, `sgd:0.1?momentum=0.9`.
        batch: Largest minibatch.
        schedule: Of the learning rate: `constant`, or `cosine`, half a cosine that would reach 0 after the last epoch.
        augment: How training images are changed at random, such as `flip,crop:4`; nothing by default.
        precision: `float32`, or `bfloat16` for training with products in that format, where processors are faster.
        evaluate_every: The trajectory is looked at every so many epochs, and at the last.
        seed: The one seed of everything.
        device: `auto`, `cpu` or a torch device such as `cuda:0`.
        trainer: `auto`, `compiled`, `stacked`, `vmap`, `serial` or `serial-lightning`; what auto chose is part of the
            result.
        unquantized_dtype: To what biases, norms and buffers of quantized models are rounded; with `float32` they stay,
            the set of parameters is not discrete and there is no r_Q.
        block: Models trained side by side, part of the plan; 0 chooses from the number of models, or one where models
            are trained one after another.
        queries: Views of each image under which models are attacked, such as `identity,flip,left:2`; by default the
            image as it is, and flipped if `augment` flips.
        calibration_examples: Most examples that a model is calibrated on; 0 is 1,024 or a quarter of the members.
        public_images: Folder or name of the images on which quantizers with `calibration=public` are calibrated.
        utility_loss: A quantizer is recommended only if its utility is at most this much below the original's.
        risk_limit: A quantizer is recommended only if the strongest attack's figure, overall and in the worst class,
            lies at most this much above guessing: 0.09 allows 10% of the members to be found at 1% false alarms.
        extra_attacks: Attacks of other packages to run beside our own, by name; `quantleak list attacks` shows all.
        level: Confidence level of every interval.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid", "strict": False}

    model: str = "mlp:128"
    quantizers: tuple[str, ...] = PAPER_A
    models: int = 64
    pool: int = 0
    epochs: int = 100
    optimizer: str = "adam:1e-3"
    batch: int = 128
    schedule: str = "constant"
    augment: str = ""
    precision: str = "float32"
    evaluate_every: int = 1
    seed: int = 0
    device: str = "auto"
    trainer: str = "auto"
    unquantized_dtype: UnquantizedDtype = "bfloat16"
    block: int = 0
    queries: Names = ()
    calibration_examples: int = 0
    public_images: str = ""
    utility_loss: float = 0.02
    risk_limit: float = 0.09
    extra_attacks: Names = ()
    level: float = 0.95

    def __post_init__(self) -> None:
        _raise_all(self._problems())
        named = [procedure(spec) for spec in self.quantizers]
        # Noise is there to be compared with the quantizer that it is as large as.
        compared = [one.wrapped for one in named if isinstance(one, Noise)]
        specs = dict.fromkeys([BASELINE, *(one.spec for one in (*named, *compared))])
        object.__setattr__(self, "quantizers", tuple(specs))
        object.__setattr__(self, "queries", tuple(dict.fromkeys(self.queries)))
        object.__setattr__(self, "extra_attacks", tuple(dict.fromkeys(self.extra_attacks)))
        object.__setattr__(self, "optimizer", optimizer(self.optimizer).spec)
        object.__setattr__(self, "augment", augment(self.augment).spec)

    @property
    def training(self) -> Training:
        """The settings of the learning algorithm."""
        return Training(
            epochs=self.epochs,
            batch=self.batch,
            optimizer=optimizer(self.optimizer),
            evaluate_every=self.evaluate_every,
            schedule=self.schedule,
            augment=augment(self.augment),
            precision=self.precision,
        )

    @property
    def block_size(self) -> int:
        """Models trained side by side: the setting, or a quarter of the fleet, from 2 to 32.

        Four blocks or more keep a few workers busy and lose little to a kill.
        """
        return self.block or min(32, max(2, -(-self.models // 4)))

    def _problems(self) -> list[str]:
        """Every setting that cannot be used, as `name: what is wrong`."""
        least = {"models": 2, "epochs": 1, "batch": 1, "evaluate_every": 1, "seed": 0, "block": 0}
        least |= {"pool": 0, "calibration_examples": 0}
        problems = [
            f"{name}: must be at least {low}, got {getattr(self, name)}"
            for name, low in least.items()
            if getattr(self, name) < low
        ]
        problems += [] if 0 < self.level < 1 else [f"level: must lie between 0 and 1, got {self.level}"]
        if 0 < self.pool < LEAST_POOL:
            problems.append(f"pool: must be 0 for all examples or at least {LEAST_POOL}, got {self.pool}")
        if not 0 <= self.utility_loss < math.inf:
            problems.append(f"utility_loss: must be a number of at least 0, got {self.utility_loss}")
        if not 0 < self.risk_limit <= 1:
            problems.append(
                f"risk_limit: must lie between 0 and 1, got {self.risk_limit}; for 9 points above guessing write 0.09"
            )
        problems += [] if self.quantizers else ["quantizers: name at least one, such as ternary:0.9"]
        if self.trainer not in {"auto", *TRAINERS}:
            problems.append(f"trainer: must be auto, {', '.join(TRAINERS)}, got '{self.trainer}'")
        for name, allowed in (("schedule", SCHEDULES), ("precision", PRECISIONS)):
            if (value := getattr(self, name)) not in allowed:
                problems.append(f"{name}: must be {' or '.join(allowed)}, got '{value}'.{nearest(value, allowed)}")
        checks: list[tuple[str, Callable[[str], object], str]] = [
            ("optimizer", optimizer, self.optimizer),
            ("augment", augment, self.augment),
        ]
        checks += [("quantizers", procedure, spec) for spec in self.quantizers]
        checks += [("queries", view, name) for name in self.queries]
        checks += [("extra_attacks", extra_attack, name) for name in self.extra_attacks]
        for name, check, value in checks:
            try:
                check(value)
            except InputError as error:
                problems.append(f"{name}: {error}")
        return problems


def read_settings(values: Mapping[str, Any], base: Settings | None = None, also: Collection[str] = ()) -> Settings:
    """Settings from a mapping (a YAML file, flags), every problem reported at once.

    Args:
        values: Values by name; None means the default.
        base: What the defaults are.
        also: Other names that were possible where `values` came from, for hints.

    Raises:
        InputError: Unknown names (with the nearest one), values of the wrong type or out of range.
    """
    values = accept_old_names(values)
    known = {field.name for field in fields(Settings)}
    unknown = [f"{name}: unknown setting.{nearest(name, {*known, *also})}" for name in values if name not in known]
    usable = {name: value for name, value in values.items() if name in known and value is not None}
    try:
        if base is not None:
            usable = {field.name: getattr(base, field.name) for field in fields(Settings)} | usable
        settings = TypeAdapter(Settings).validate_python(usable)
    except ValidationError as error:
        raise InputError("\n".join(unknown + explain(error))) from error
    _raise_all(unknown)
    return settings


def explain(error: ValidationError) -> list[str]:
    """One line for each problem: where, what is wrong, what was seen."""
    return [_line(problem) for problem in error.errors()]


def _line(problem: Any) -> str:
    place = ".".join(map(str, problem["loc"]))
    message = problem["msg"].removeprefix("Value error, ")
    return f"{place}: {message}, got {problem['input']!r}" if place else message


def _raise_all(problems: list[str]) -> None:
    if problems:
        raise InputError("\n".join(problems))


def override(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """Settings with some values changed, checked like any others."""
    return read_settings(changes, base=settings) if changes else replace(settings)
