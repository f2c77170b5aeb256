"""What the vision study is: data, networks, quantizers and controls, at four sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import BeforeValidator

from quantleak.auditing.plan import resolve_device
from quantleak.auditing.settings import Settings
from quantleak.data import Dataset
from quantleak.data.sources.images import DIGITS, HUB, read_images
from quantleak.errors import InputError, nearest
from quantleak.ptq import procedure
from quantleak.quantizers import BASELINE
from quantleak.studies.common.settings import StudySettings

TERNARY = "ternary"

Names = Annotated[
    tuple[str, ...],
    BeforeValidator(
        lambda names: (
            ([name.strip() for name in names.split(",")] if isinstance(names, str) else [str(name) for name in names])
            if isinstance(names, (str, list, tuple))
            else (str(names),)
        )
    ),
]
"""Words or numbers, as a list or in one text with commas."""
METHODS = ("adaround", "brecq", "obq", "rtn")
"""The paper's three, and round-to-nearest, which needs no data."""

PROFILES: Mapping[str, Mapping[str, str]] = {
    "short": {"adaround": "iterations=500", "brecq": "iterations=200", "obq": "", "rtn": ""},
    "fast": {"adaround": "iterations=2000", "brecq": "iterations=1000", "obq": "", "rtn": ""},
    "thorough": {"adaround": "iterations=10000", "brecq": "iterations=2000", "obq": "", "rtn": ""},
    "published": {
        "adaround": "zero=false&iterations=20000&learning_rate=0.001&penalty=0.001&batch=32",
        "brecq": "zero=false&fold=true&iterations=20000&learning_rate=0.001&batch=32&loss=mse",
        "obq": "retune=true&examples=2048&order=greedy&damping=0&asymmetric=false",
        "rtn": "",
    },
}
"""Options of each method: for a first look, processors, accelerators, and as the code of arXiv 2512.15335 has them."""

STOPPED_AT = (0.1, 0.2, 0.3, 0.4, 0.6, 0.8)
"""Shares of the training after which the control that was stopped early is looked at."""

PRESETS: dict[str, dict[str, Any]] = {
    "quick": {
        "data": (DIGITS,),
        "network": "resnet:8?width=8",
        "models": 16,
        "pool": 600,
        "epochs": 30,
        "evaluate_every": 3,
        "batch": 32,
        "optimizer": "sgd:0.05?momentum=0.9&weight_decay=0.0005",
        "augment": "",
        "queries": ("identity", "left:1"),
        "profile": "short",
        "widths": ("4", "2", TERNARY),
        "calibration_examples": 96,
        "smaller": "resnet:8?width=2",
    },
    "cpu": {
        "data": ("cifar10-png",),
        "network": "resnet:8",
        "models": 16,
        "pool": 0,
        "epochs": 30,
        "evaluate_every": 3,
        "optimizer": "sgd:0.05?momentum=0.9&weight_decay=0.0005",
        "augment": "",
        "profile": "fast",
        "precision": "bfloat16",
        "widths": ("4", "2", TERNARY),
        "calibration_examples": 1024,
        "smaller": "resnet:8?width=4",
    },
    "gpu": {
        "models": 32,
        "epochs": 60,
        "evaluate_every": 6,
        "profile": "thorough",
        "precision": "bfloat16",
    },
    "paper": {},
}
"""What each size changes."""


@dataclass(frozen=True, kw_only=True)
class Vision(StudySettings):
    """The study of [BitsForPrivacy]_, arXiv 2512.15335, its attacker beside one who quantizes too.

    Attributes:
        data: Names of folders in `data_dir`, or `digits`; each is a study by itself.
        data_dir: Folder of the data sets; `--data-dir`.
        network: As in :class:`~quantleak.auditing.settings.Settings`.
        models: Of each fleet; each is in turn the target of all others.
        pool: Examples of which each model is trained on half; 0 takes the whole training file.
        epochs: Passes over a model's members.
        evaluate_every: Epochs between two looks at the trajectory for r_Q and for the control that stops early.
        batch: Of training.
        optimizer: Of training.
        augment: Of training images.
        queries: Views of each image that attacks read.
        precision: Of training.
        profile: How long the learned methods run, and how: `short`, `fast`, `thorough` or `published`.
        widths: Bits of the body, or `ternary`.
        head_options: Precisions of the last layer at `ternary`, beside that of the body.
        followed: Bits of round-to-nearest whose trajectories give r_Q.
        calibration_examples: Of each model's members at most; a method reads 1,024 of them, or what its profile says.
        smaller: A float network about as large on disk as a ternary `network`.
        noise: Whether noise on the weights is compared with quantization; a part.
        layers: Whether every layer in turn is left at full precision under ternary round-to-nearest; a part.
        resamples: Of the bootstrap over targets and examples.
        seed: Of everything.
        device: As in an audit.
    """

    name: ClassVar[str] = "vision"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = PRESETS
    parts: ClassVar[tuple[str, ...]] = ("noise", "layers")
    stated: ClassVar[tuple[str, ...]] = ("data", "network", "models", "epochs", "augment", "precision")
    not_identity: ClassVar[tuple[str, ...]] = ("data_dir", "resamples")
    folders: ClassVar[tuple[str, ...]] = ("data_dir",)
    level: ClassVar[float] = 0.95

    data: Names = ("cifar10", "cifar100", "tiny-imagenet")
    data_dir: str = ""
    network: str = "resnet:18"
    models: int = 64
    pool: int = 0
    epochs: int = 160
    evaluate_every: int = 16
    batch: int = 128
    optimizer: str = "sgd:0.1?momentum=0.9&weight_decay=0.0005"
    augment: str = "flip,crop:4"
    queries: Names = ("identity", "flip")
    precision: str = "float32"
    profile: str = "published"
    widths: Names = ("4", "3", "2", TERNARY)
    head_options: Names = ("8", "float")
    followed: Names = ("8", "6", "4", "3", "2", TERNARY)
    calibration_examples: int = 2048
    smaller: str = "resnet:18?width=14"
    noise: bool = True
    layers: bool = True
    resamples: int = 2000
    seed: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        if self.profile not in PROFILES:
            hint = nearest(self.profile, PROFILES)
            raise InputError(f"profile must be {', '.join(PROFILES)}, got '{self.profile}'.{hint}")
        if not self.data:
            raise InputError(f"data: name at least one data set, such as {DIGITS}.")
        self.fleet((BASELINE, *(self.spec(method, width) for method in METHODS for width in self.widths)))

    def fleet(self, quantizers: tuple[str, ...]) -> Settings:
        """A fleet of the study, as the settings of an audit.

        Raises:
            InputError: Every setting that cannot be used.
        """
        return Settings(
            model=self.network,
            quantizers=quantizers,
            models=self.models,
            pool=self.pool,
            epochs=self.epochs,
            optimizer=self.optimizer,
            batch=self.batch,
            schedule="cosine",
            augment=self.augment,
            precision=self.precision,
            evaluate_every=self.evaluate_every,
            seed=self.seed,
            device=self.device,
            trainer="serial",
            queries=self.queries,
            calibration_examples=self.calibration_examples,
            level=self.level,
        )

    @property
    def identity(self) -> dict[str, Any]:
        """What fixes the numbers of every job: settings, and the data themselves."""
        rows = {part: getattr(self, part) for part in self.parts}  # models are quantized in one job in every way asked
        return super().identity | {
            **rows,
            "device": str(resolve_device(self.device)),
            "digests": {name: open_data(name, self.data_dir).digest for name in self.data},
            "quantizers": [self.spec(method, width) for method in METHODS for width in self.widths],
            "stopped_at": list(self.stopped_at),
        }

    @property
    def stopped_at(self) -> tuple[int, ...]:
        """Epochs at which float networks are looked at as if training had stopped there."""
        looked = np.unique([self.evaluate_every * round(s * self.epochs / self.evaluate_every) for s in STOPPED_AT])
        return tuple(int(epoch) for epoch in looked if 0 < epoch < self.epochs)

    def spec(self, method: str, width: str, *options: str) -> str:
        """The spec of a method at a width, as the profile sets it."""
        every = "&".join(option for option in (PROFILES[self.profile][method], *options) if option)
        return procedure(f"{method}:{width}" + (f"?{every}" if every else "")).spec


@lru_cache(maxsize=4)
def open_data(name: str, data_dir: str) -> Dataset:
    """A data set of the study.

    Args:
        name: `digits`, `hf:NAME`, or a folder in `data_dir`.
        data_dir: Folder of folders.

    Raises:
        InputError: If it is not there.
    """
    if name == DIGITS or name.startswith(HUB):
        return read_images(name)
    folder = Path(data_dir) / name
    if not data_dir or not folder.is_dir():
        where = f"there is none in '{data_dir}'" if data_dir else "no --data-dir is given"
        raise InputError(
            f"The images '{name}' are read from a folder of that name in the folder of the data sets, and {where}. "
            f"Give --data-dir FOLDER, or --set data={DIGITS} for images that need no file."
        )
    return read_images(folder)
