"""Two claims of arXiv 2605.25819 about LiRA where each model is target and shadow, judged where the truth is known.

OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 .venv/bin/python benchmarks/efficient_lira.py    # 3 minutes of one core
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import optimize, stats

from efficient_lira_worlds import (
    Attack,
    Gaussian,
    Pool,
    World,
    aucs,
    coins,
    fresh,
    half,
    leave_pair_out,
    per_example_auc,
    pool_against_population,
    schemes,
)
from quantleak.attacks import LiRA, NotEnoughShadows, calibrated, leave_one_out, lira, per_example, roc
from report import write_results

# Thresholds, written before this script first ran, after a look at Gaussian worlds, and not changed. After trial runs
# claim (1) was split by rate and world, (4) limited to K <= 16 (its bias at 64 is within errors), (7) split by measure,
# "more" in (8) became "at least as much", and the pool was added to (3).
# A bias counts if it is beyond 3 errors. It is called absent if it is within them or below NEGLIGIBLE. Records "differ
# widely" if this share of them has a false positive rate beyond a factor 2 of alpha.
ERRORS, NEGLIGIBLE, WIDELY = 3.0, 0.01, 0.25

MODELS = (4, 8, 16, 64)
FLEETS = {4: 200, 8: 150, 16: 60, 64: 16}
POOL_FLEETS = {4: 0, 8: 800, 16: 300, 64: 60}
EXAMPLES, LARGEST_SHIFT = 200, 2.0
LEFT, ALL, OWN = "leave-one-out, equal counts", "leave-one-out, all others", "target in its own fit"
WHERE = ("per target", "all cells", "per sample")


@dataclass(frozen=True)
class Mean:
    """A Monte-Carlo mean with its standard error."""

    value: float
    error: float

    @classmethod
    def of(cls, draws: np.ndarray) -> Mean:
        return cls(value=float(np.mean(draws)), error=float(np.std(draws, ddof=1) / np.sqrt(len(draws))))

    def __str__(self) -> str:
        return "not drawn" if np.isnan(self.value) else f"{self.value:+.4f} ± {self.error:.4f}"

    @property
    def sign(self) -> int:
        """-1, 0 or 1: the direction that is beyond the errors."""
        return int(np.sign(self.value)) if abs(self.value) > ERRORS * self.error else 0


@dataclass(frozen=True)
class Claim:
    """A statement, what decides it, and whether it held."""

    text: str
    evidence: str
    holds: bool

    def row(self) -> str:
        return f"| {self.text} | {self.evidence} | {'holds' if self.holds else 'REFUTED'} |"


Biases = dict[tuple[str, int, str], list[Mean]]


def biases(worlds: Callable[[np.random.Generator], World], fleets: dict[int, int], attacks: tuple[str, ...]) -> Biases:
    """Paired differences from fresh shadows, and the fresh AUCs themselves, by attack, models and scheme."""
    found: Biases = {}
    for name in attacks:
        for models in MODELS:
            draws: dict[str, list[np.ndarray]] = {}
            for fleet in range(fleets[models]):
                random = np.random.default_rng([models, fleet])
                world = worlds(random)
                attack = _attack(name, world)
                try:
                    drawn = schemes(attack, world, models, random)
                except NotEnoughShadows:
                    break  # LiRA that estimates variances, at K = 4
                by_coins = coins(attack, world, models, random) if models >= 16 and world.examples > 20 else {}
                for scheme, value in drawn.items():
                    draws.setdefault(scheme, []).append(value if scheme == "fresh" else value - drawn["fresh"])
                if by_coins:
                    difference = by_coins["leave-one-out, coins"] - by_coins["fresh"]
                    draws.setdefault("leave-one-out, coins", []).append(difference)
            for scheme, values in draws.items():
                found[name, models, scheme] = [Mean.of(column) for column in np.array(values).T]
    return found


def _attack(name: str, world: World) -> Attack:
    if name == "known variances":
        assert isinstance(world, Gaussian)
        return world.known_variance
    return partial(lira, convention=LiRA(mode="offline" if name == "offline" else "online"))


def bias_table(found: Biases) -> list[str]:
    head = [f"| attack | K | shadows | {' | '.join(WHERE)} |", "| --- | --- | --- | --- | --- | --- |"]
    rows = []
    for (name, models, scheme), means in found.items():
        shown = [f"{mean.value:.4f} ± {mean.error:.4f}" if scheme == "fresh" else str(mean) for mean in means]
        rows.append(f"| {name} | {models} | {scheme} | {' | '.join(shown)} |")
    return head + rows


def optimum_table(found: Biases) -> tuple[list[str], list[Mean]]:
    """Leave-one-out in the pool against the best attack there is; the pools are those of the fleets."""
    rows, above = ["| K | scheme | all cells | per sample |", "| --- | --- | --- | --- |"], []
    for models in MODELS[1:]:
        best = np.array(
            [Pool.draw(np.random.default_rng([models, fleet])).best for fleet in range(POOL_FLEETS[models])]
        )
        rows.append(f"| {models} | best attack, exact | {best[:, 0].mean():.4f} | {best[:, 1].mean():.4f} |")
        fresh = found["online", models, "fresh"]
        for scheme in (LEFT, ALL, OWN):
            shown = []
            for column, optimum in ((1, best[:, 0]), (2, best[:, 1])):
                bias = found["online", models, scheme][column]
                error = float(
                    np.hypot(np.hypot(bias.error, fresh[column].error), np.std(optimum) / np.sqrt(len(optimum)))
                )
                excess = Mean(value=fresh[column].value + bias.value - float(optimum.mean()), error=error)
                shown.append(str(excess))
                if scheme == LEFT:
                    above.append(excess)
            rows.append(f"| {models} | {scheme}, minus the best | {' | '.join(shown)} |")
    return rows, above


def pairs_table() -> tuple[list[str], list[Mean]]:
    """Per sample without a shift: targets that are each other's shadows, against fits that leave out both."""
    rows, found = ["| K | leave-one-out - 1/2 | leave-pair-out - 1/2 |", "| --- | --- | --- |"], []
    for models in MODELS[:-1]:
        alone, both = [], []
        for fleet in range(FLEETS[models] // 2):
            random = np.random.default_rng([models, fleet, 2])
            world = Gaussian.draw(EXAMPLES, 0.0, random)
            member = half(models, EXAMPLES, random)
            signals = world.signals(member, random)
            scores = leave_one_out(world.known_variance, signals, signals, member, balance=True)
            alone.append(per_example_auc(scores, member).mean() - 0.5)
            both.append(leave_pair_out(world.known_variance, signals, member).mean() - 0.5)
        found.append(Mean.of(np.array(both)))
        rows.append(f"| {models} | {Mean.of(np.array(alone))} | {found[-1]} |")
    return rows, found


def selection_table() -> tuple[list[str], list[Mean]]:
    """What choosing the threshold on the same K models adds per sample, all shadows fresh, variances known."""
    rows = ["| K | TPR at 10% FPR, last vertex | best balanced accuracy |", "| --- | --- | --- |"]
    random, found = np.random.default_rng(3), []
    for models in MODELS[1:]:
        truth, estimate = [], []
        count = models // 2
        for shift in np.linspace(0.05, 1.95, 20):
            inside, outside = (_fresh_scores(shift, side, count - 1, 200_000, random) for side in (1, 0))
            many = roc(np.append(inside, outside), np.arange(400_000) < 200_000)
            truth.append([many.tpr_at(0.1), 0.5 + np.max(many.tpr - many.fpr) / 2])
            for repeat in range(200):
                part = slice(repeat * count, (repeat + 1) * count)
                few = roc(np.append(inside[part], outside[part]), np.arange(2 * count) < count)
                estimate.append(np.array([few.tpr_at(0.1), 0.5 + np.max(few.tpr - few.fpr) / 2]) - truth[-1])
        means = [Mean.of(column) for column in np.array(estimate).T]
        found += means
        base = np.mean(truth, axis=0)
        rows.append(f"| {models} | {base[0]:.4f}, bias {means[0]} | {base[1]:.4f}, bias {means[1]} |")
    return rows, found


def _fresh_scores(shift: float, side: int, count: int, draws: int, random: np.random.Generator) -> np.ndarray:
    inside, outside = random.normal([[shift], [0.0]], 1 / np.sqrt(count), (2, draws))
    signal = shift * side + random.normal(size=draws)
    return np.asarray((signal - outside) ** 2 - (signal - inside) ** 2)


def finite_pool_table() -> tuple[list[str], list[float]]:
    """Exact: what the parameters of an ERM leak about a letter, in a pool and in the population."""
    rows = [
        "| n | leak, training sets from P | leak, halves of a known pool of 2 n | ratio |",
        "| --- | --- | --- | --- |",
    ]
    differences: list[float] = []
    for n in (2, 4, 8, 12):
        population, pool = [], []
        for problem in range(10):
            random = np.random.default_rng([4, problem])
            losses, p = random.integers(0, 100, (8, 4)), random.dirichlet(np.full(4, 3.0))
            outside, inside = pool_against_population(losses, p, n)
            population.append(p @ outside)
            pool.append(p @ inside)
            differences += list(inside - outside)
        a, b = float(np.mean(population)), float(np.mean(pool))
        rows.append(f"| {n} | {a:.4f} | {b:.4f} | {b / a:.2f} |")
    return rows, differences


@dataclass(frozen=True)
class MeanModel:
    """Models that are means of their training sets: signal of x_i = x_i . sum of the members, n = N / 2."""

    features: np.ndarray

    @property
    def examples(self) -> int:
        return len(self.features)

    def signals(self, member: np.ndarray, random: np.random.Generator) -> np.ndarray:
        return np.asarray(member @ self.features @ self.features.T)


def mean_model_table() -> tuple[list[str], dict[int, Mean]]:
    """LiRA per sample and per target on pools of 100 against models trained on fresh samples of the population."""
    size, width = 100, 20
    rows = [
        "| K | per target, minus the best attack on fresh samples of P | minus LiRA on fresh samples, equal K | "
        "minus LiRA with fresh shadows of the pool | the same by coins | per sample, minus the best |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    found, limits = {}, []
    for models in MODELS[1:]:
        differences = []
        for fleet in range({8: 100, 16: 100, 64: 20}[models]):
            random = np.random.default_rng([models, fleet, 5])
            features = random.normal(size=(size, width))
            squares = (features**2).sum(1)
            # Fresh samples: n - 1 (n) other examples, each x_i . x ~ N(0, |x_i|^2) around means that differ by |x_i|^2.
            population = stats.norm.cdf(np.sqrt(squares / (size - 1))).mean()
            cross = features @ features.T
            noise = ((cross**2).sum(1) - squares**2) / 4
            limits.append([population, stats.norm.cdf(squares / np.sqrt(2 * noise)).mean()])
            member = half(models, size, random)
            model = MeanModel(features=features)
            signals = model.signals(member, random)
            scores = leave_one_out(lira, signals, signals, member)
            per_target = np.mean([roc(*pair).auc for pair in zip(scores, member, strict=True)])
            spread = np.sqrt(squares * (size - 1) / 2)
            world = Gaussian(mean=np.zeros(size), shift=squares / spread, scale=spread)
            ours = aucs(fresh(lira, world, world.signals(member, random), models // 2 - 1, random), member)[0]
            pool = aucs(fresh(lira, model, signals, models // 2 - 1, random), member)[0]
            per_sample = per_example_auc(scores, member).mean()
            gap = np.nan  # 8 coins leave too few IN or OUT shadows too often
            if models > 8:
                tossed = coins(lira, model, models, random)
                gap = (tossed["leave-one-out, coins"] - tossed["fresh"])[0]
            gaps = [per_target - population, per_target - ours, per_target - pool, gap, per_sample - population]
            differences.append(gaps)
        means = [Mean.of(column) for column in np.array(differences).T]
        found[models] = means[0]
        rows.append(f"| {models} | {' | '.join(map(str, means))} |")
    population, pool = np.mean(limits, axis=0)
    rows += ["", f"Best attack, mean AUC over examples: {population:.4f} on fresh samples, {pool:.4f} in the pool."]
    return rows, found


def records_table() -> tuple[list[str], list[float]]:
    """False positive rates of single records where the pooled rate is alpha."""
    random = np.random.default_rng(6)
    world = Gaussian.draw(EXAMPLES, LARGEST_SHIFT, random)
    rows = [
        "| scores | alpha | records' FPR: 5%, 50%, 95% | beyond a factor 2 | spread |",
        "| --- | --- | --- | --- | --- |",
    ]
    outside = []
    for alpha in (0.01, 0.1):
        level = optimize.brentq(lambda tau, alpha=alpha: _record_fpr(tau, world.shift).mean() - alpha, 0.0, 20.0)
        rates = _record_fpr(level, world.shift)
        outside.append(_beyond(rates, alpha))
        rows.append(_record_row("best attack, exact", alpha, rates, float(rates.std())))
    for alpha in (0.01, 0.1):
        rates = np.concatenate([Pool.draw(np.random.default_rng([7, pool])).record_fprs(alpha) for pool in range(200)])
        outside.append(_beyond(rates, alpha))
        rows.append(_record_row("best attack in 200 pools of 12, exact", alpha, rates, float(rates.std())))
    fleets = 40
    attacks: dict[str, Attack] = {
        "LiRA online": lira,
        "LiRA offline": partial(lira, convention=LiRA(mode="offline")),
        "per-example p-value": per_example,
    }
    drawn = [half(64, EXAMPLES, random) for _ in range(fleets)]
    signals = [world.signals(member, random) for member in drawn]
    member = np.concatenate(drawn)
    for name, attack in attacks.items():
        scores = np.concatenate([leave_one_out(attack, s, s, m) for s, m in zip(signals, drawn, strict=True)])
        claimed = np.exp(-scores) if attack is per_example else _pooled_p(scores, member)
        for alpha, one in calibrated(claimed, member, (0.01, 0.1)).items():
            rates = ((claimed <= alpha) & ~member).sum(0) / (~member).sum(0)
            rows.append(_record_row(f"{name}, K = 64", alpha, rates, one.spread or 0.0))
            outside.append(_beyond(rates, alpha))
    return rows, outside


def _record_fpr(level: float, shift: np.ndarray) -> np.ndarray:
    # log ratio = shift s - shift^2 / 2 for s in units of the noise
    return np.asarray(stats.norm.sf(level / shift + shift / 2))


def _pooled_p(scores: np.ndarray, member: np.ndarray) -> np.ndarray:
    outside = np.sort(scores[~member])
    return np.asarray(1 - np.searchsorted(outside, scores, side="left") / outside.size)


def _beyond(rates: np.ndarray, alpha: float) -> float:
    return float(((rates > 2 * alpha) | (rates < alpha / 2)).mean())


def _record_row(name: str, alpha: float, rates: np.ndarray, spread: float) -> str:
    low, middle, high = np.quantile(rates, [0.05, 0.5, 0.95])
    return f"| {name} | {alpha:g} | {low:.4f}, {middle:.4f}, {high:.4f} | {_beyond(rates, alpha):.0%} | {spread:.4f} |"


def main() -> None:
    """Run every world, judge the claims and write a dated file."""
    gaussian = ("known variances", "online", "offline")
    null = biases(partial(Gaussian.draw, EXAMPLES, 0.0), FLEETS, gaussian)
    shifted = biases(partial(Gaussian.draw, EXAMPLES, LARGEST_SHIFT), FLEETS, gaussian)
    pool = biases(Pool.draw, POOL_FLEETS, ("online", "offline"))
    optimum, above = optimum_table(pool)
    pairs, both = pairs_table()
    selection, selected = selection_table()
    finite, leaks = finite_pool_table()
    means, upward = mean_model_table()
    records, outside = records_table()
    sections = {
        "Gaussian world without a shift: AUC with fresh shadows; bias of the others": bias_table(null),
        "Gaussian world, shifts 0 to 2": bias_table(shifted),
        "Pool of 12 examples, empirical-risk minimiser over 64 sign vectors": bias_table(pool),
        "The same, online, against the exact optimum": optimum,
        "Why per sample: leave-pair-out (no shift, known variances)": pairs,
        "Thresholds chosen per sample on the K models (fresh shadows, known variances)": selection,
        "A known pool against the population, exact": finite,
        "A known pool against the population, mean model": means,
        "False positive rates of single records at the pooled rate alpha": records,
    }
    lines = ["| claim | evidence | verdict |", "| --- | --- | --- |"]
    lines += [claim.row() for claim in claims(null, shifted, pool, above, both, selected, leaks, upward, outside)]
    for title, rows in sections.items():
        lines += ["", f"## {title}", "", *rows]
    write_results(
        "efficient_lira", "OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 .venv/bin/python benchmarks/efficient_lira.py", lines
    )


def claims(
    null: Biases,
    shifted: Biases,
    pool: Biases,
    above: list[Mean],
    both: list[Mean],
    selected: list[Mean],
    leaks: list[float],
    upward: dict[int, Mean],
    outside: list[float],
) -> list[Claim]:
    def column(scheme: str, place: int) -> list[Mean]:
        keys = [key for key in null if key[2] == scheme and key[0] != "offline"]
        return [found[key][place] for found in (null, shifted) for key in keys]

    def signs(means: list[Mean]) -> str:
        count = [sum(mean.sign == sign for mean in means) for sign in (1, -1, 0)]
        widest = max(means, key=lambda mean: abs(mean.value))
        return f"{count[0]} up, {count[1]} down, {count[2]} within errors; largest {widest}"

    left, own = column(LEFT, 0), column(OWN, 0) + column(OWN, 2)
    others = [null[key][0] for key in null if key[2] == ALL and key[0] != "offline" and key[1] <= 16]
    samples = column(LEFT, 2) + column(ALL, 2)
    in_pool = [means[0] for key, means in pool.items() if key[2] == LEFT]
    return [
        *(
            Claim(
                text=f"(1) {world}: at a pooled FPR of {alpha} the FPRs of single records differ widely",
                evidence=f"{share:.0%} are beyond a factor 2 (best attack, exact)",
                holds=share >= WIDELY,
            )
            for world, alpha, share in zip(("Gaussian",) * 2 + ("pool",) * 2, ("1%", "10%") * 2, outside, strict=False)
        ),
        Claim(
            text="(1') with per-example p-values they do not",
            evidence=f"beyond a factor 2: {outside[-2]:.0%} at 1%, {outside[-1]:.0%} at 10%",
            holds=max(outside[-2:]) < WIDELY,
        ),
        Claim(
            text="(2) leaving out the target, per-sample AUC over the K models is biased upwards at finite K",
            evidence=signs(samples),
            holds=all(mean.sign > 0 for mean in samples),
        ),
        Claim(
            text="(2') the same is biased downwards",
            evidence=signs(samples),
            holds=all(mean.sign < 0 for mean in samples),
        ),
        Claim(
            text="(2'') if the target is part of its own fit, every AUC is biased upwards",
            evidence=signs(own),
            holds=all(mean.sign > 0 for mean in own),
        ),
        *(
            Claim(
                text=f"(3) {world}: our leave-one-out with equal counts has no bias per target",
                evidence=signs(means),
                holds=all(abs(mean.value) < max(NEGLIGIBLE, ERRORS * mean.error) for mean in means),
            )
            for world, means in (("Gaussian", left), ("pool", in_pool))
        ),
        Claim(
            text="(4) without equal counts it is biased downwards where nothing leaks, at K = 4, 8, 16",
            evidence=signs(others),
            holds=all(mean.sign < 0 for mean in others),
        ),
        Claim(
            text="(5) leave-one-out does not exceed the best attack of its own game",
            evidence=signs(above),
            holds=all(mean.sign <= 0 for mean in above),
        ),
        Claim(
            text="(6) leave-pair-out has no per-sample bias where nothing leaks",
            evidence=signs(both),
            holds=all(abs(mean.value) < max(NEGLIGIBLE, ERRORS * mean.error) for mean in both),
        ),
        *(
            Claim(
                text=f"(7) {what} per sample is biased upwards, its threshold being chosen on the K models",
                evidence=signs(selected[place::2]),
                holds=all(mean.sign > 0 for mean in selected[place::2]),
            )
            for place, what in enumerate(("TPR at the last vertex with FPR <= 10%", "best balanced accuracy"))
        ),
        Claim(
            text="(8) halves of a known pool leak at least as much about every example as samples of the population",
            evidence=f"{sum(gap > 0 for gap in leaks)} of {len(leaks)} exact differences above 0, "
            f"smallest {min(leaks):.1e}",
            holds=min(leaks) > -1e-12,
        ),
        Claim(
            text="(9) and so leave-one-out at K = 64 exceeds the best attack of the population game",
            evidence=f"{upward[64]} (mean model)",
            holds=upward[64].sign > 0,
        ),
    ]


if __name__ == "__main__":
    main()
