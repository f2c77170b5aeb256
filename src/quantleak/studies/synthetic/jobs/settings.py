"""What the synthetic study is: nine distributions, and everything that the paper leaves open as a setting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, ClassVar

import numpy as np

from quantleak.data import Mixture
from quantleak.errors import InputError
from quantleak.fleet import Adam, Training
from quantleak.studies.common.settings import StudySettings


class Purpose(IntEnum):
    """What random numbers are for; each has a stream of its own."""

    OWN = 1
    FLEET = 2
    VALIDATION = 3
    TEST = 4
    POOL = 5
    POPULATION = 6
    LARGE = 7
    SUBSET = 8
    BASELINE = 9


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """One mixture of the study, and the streams of everything drawn from it.

    Attributes:
        modes: Gaussians in the mixture.
        sigma: Standard deviation of each.
        draw: Which draw of the centres.
        seed: The study's.
        mode_scale: Standard deviation of the centres' coordinates.
        dimension: Length of x; the features are x and its squares.
    """

    modes: int
    sigma: float
    draw: int = 0
    seed: int = 0
    mode_scale: float = 1.2
    dimension: int = 128

    @property
    def name(self) -> str:
        """Such as `k8-s2-d0`: modes, sigma, draw."""
        return f"k{self.modes}-s{self.sigma:g}-d{self.draw}"

    @property
    def mixture(self) -> Mixture:
        """The distribution itself."""
        seed = int(np.random.SeedSequence(self._entropy).generate_state(1)[0])
        return Mixture(
            modes=self.modes, sigma=self.sigma, dimension=self.dimension, mode_scale=self.mode_scale, seed=seed
        )

    def random(self, purpose: Purpose, number: int = 0) -> np.random.Generator:
        """A stream for one purpose."""
        return np.random.default_rng(np.random.SeedSequence([*self._entropy, int(purpose), number]))

    @property
    def _entropy(self) -> list[int]:
        return [self.seed, self.modes, round(1000 * self.sigma), self.draw]


PRESETS: dict[str, dict[str, Any]] = {
    "quick": {
        "models": 40,
        "draws": 2,
        "draw_models": 16,
        "balanced_models": 32,
        "discriminators": False,
        "baseline_sizes": (),
        "large_validation": 10_000,
        "large_models": 2,
        "searched_models": 4,
        "perceptron_models": 16,
        "perceptron_followed": 2,
        "perceptron_epochs": 20,
    },
    "paper": {},
}
"""What each size changes."""


@dataclass(frozen=True, kw_only=True)
class Synthetic(StudySettings):
    """The study of section 5.1 and appendix E of [Aubinais2025]_.

    Attributes:
        modes: Numbers of Gaussians; with `sigmas` they make the distributions.
        sigmas: Standard deviations.
        models: Models for each distribution, each on fresh data.
        epochs: Passes over a model's data.
        examples: n, training examples of a model.
        batch: Minibatch; not in the paper.
        learning_rate: Of Adam.
        validation: N, fresh examples behind r_Q, shared by the models of a distribution; not in the paper.
        test: Fresh examples behind the accuracy, shared likewise.
        mode_scale: Standard deviation of the centres' coordinates; not in the paper.
        dimension: Length of x.
        draws: Draws of the centres behind the accuracies; the first also carries everything else.
        draw_models: Models of each further draw.
        balanced: Whether to train the balanced fleets and run the attacks that need IN shadows.
        balanced_models: Models on random halves of one pool of `2 examples`, for each distribution.
        discriminators: Whether to train the paper's baseline.
        baseline_sizes: Numbers of models at which it is trained too, to see how many a stable ranking needs.
        exact: Whether to enumerate the small problems whose MIS is known exactly.
        large_validation: The largest N at which r_Q is followed.
        large_models: Models of each distribution for that.
        searched_models: Models of each distribution whose competitors are also searched.
        perceptron: Whether to train perceptrons too, on the distributions with the middle number of modes.
        perceptron_models: Perceptrons on random halves of one pool of `2 examples`, for each of these distributions.
        perceptron_followed: How many of them are followed, up to `large_validation` examples.
        perceptron_epochs: Passes of a perceptron over its data.
        perceptron_hidden: Width of its hidden layer.
        block: Models trained side by side.
        resamples: Bootstrap resamples behind intervals.
        seed: The one seed of everything.
    """

    name: ClassVar[str] = "synthetic"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = PRESETS
    parts: ClassVar[tuple[str, ...]] = ("balanced", "discriminators", "exact", "perceptron")
    stated: ClassVar[tuple[str, ...]] = (
        "modes",
        "sigmas",
        "models",
        "epochs",
        "examples",
        "dimension",
        "learning_rate",
    )
    not_identity: ClassVar[tuple[str, ...]] = ("baseline_sizes", "resamples")

    modes: tuple[int, ...] = (6, 8, 16)
    sigmas: tuple[float, ...] = (1.5, 2.0, 3.0)
    models: int = 300
    epochs: int = 3000
    examples: int = 128
    batch: int = 32
    learning_rate: float = 1e-4
    validation: int = 1000
    test: int = 10_000
    mode_scale: float = 1.2
    dimension: int = 128
    draws: int = 5
    draw_models: int = 32
    balanced: bool = True
    balanced_models: int = 64
    discriminators: bool = True
    baseline_sizes: tuple[int, ...] = (20, 50, 100)
    exact: bool = True
    large_validation: int = 100_000
    large_models: int = 3
    searched_models: int = 32
    perceptron: bool = True
    perceptron_models: int = 64
    perceptron_followed: int = 8
    perceptron_epochs: int = 100
    perceptron_hidden: int = 32
    block: int = 16
    resamples: int = 400
    seed: int = 0

    def __post_init__(self) -> None:
        least = {"models": 4, "epochs": 2, "examples": 8, "batch": 1, "validation": 10, "test": 10, "dimension": 1}
        least |= {
            "draws": 1,
            "draw_models": 1,
            "balanced_models": 8,
            "large_models": 0,
            "searched_models": 0,
            "perceptron_models": 8,
            "perceptron_followed": 1,
            "perceptron_epochs": 2,
            "perceptron_hidden": 1,
            "block": 2,
            "resamples": 20,
        }
        problems = [f"{name}: must be at least {low}" for name, low in least.items() if getattr(self, name) < low]
        if problems:
            raise InputError("\n".join(problems))

    @property
    def distributions(self) -> list[Distribution]:
        """All mixtures at their first draw of centres, in the order of the paper's table."""
        return [self.distribution(modes, sigma) for sigma in self.sigmas for modes in self.modes]

    @property
    def of_perceptrons(self) -> list[Distribution]:
        """The distributions on which perceptrons are trained; none if they are left out."""
        middle = sorted(self.modes)[len(self.modes) // 2]
        return [d for d in self.distributions if d.modes == middle] if self.perceptron else []

    def distribution(self, modes: int, sigma: float, draw: int = 0) -> Distribution:
        """One mixture."""
        return Distribution(
            modes=modes,
            sigma=float(sigma),
            draw=draw,
            seed=self.seed,
            mode_scale=self.mode_scale,
            dimension=self.dimension,
        )

    @property
    def training(self) -> Training:
        """Settings of the learning algorithm."""
        return Training(epochs=self.epochs, batch=self.batch, optimizer=Adam(learning_rate=self.learning_rate))
