"""Which interval of a TPR at a fixed FPR, and of an AUC, covers: worlds whose ROC is known, every method side by side.

    python benchmarks/interval_coverage.py [--choose 500] [--confirm 2000] [--workers 2]

Finished cells lie in out/coverage, one small file each; a second run continues. The table is written to
benchmarks/results. An interval is right if it holds the population's ROC at exactly the false positive rate (the mean
over the population of targets). The demands, written before the run: coverage at least .93 in every cell, intervals of
a world without signal wholly above chance in at most 3%, and a median length of at most 1.6 times that of the narrowest
method that covers in every cell.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit
from scipy import integrate, special, stats

from quantleak.attacks import Crossed, Roc, roc
from quantleak.attacks.evaluation.influence import tpr_influence
from quantleak.attacks.evaluation.metrics import auc_estimate, crossed_auc, crossed_tpr, tpr_estimate
from quantleak.attacks.evaluation.rank_weights import interpolating_weights
from quantleak.attacks.evaluation.table import score_table
from quantleak.store import write_json
from report import write_results

FOLDER = Path("out/coverage")
LEVEL, RESAMPLES = 0.95, 200
SIZES = (
    (64, 500, 0.01), (64, 1000, 0.01), (64, 50, 0.1), (16, 1000, 0.01), (16, 5000, 0.001),
    (2, 1000, 0.01), (4, 1000, 0.01), (8, 500, 0.01), (8, 1000, 0.01),
    (1, 1000, 0.01), (1, 10_000, 0.01), (1, 10_000, 0.001),
)  # fmt: skip
SMALL = ((1, 20, 0.5), (1, 40, 0.5), (2, 20, 0.5), (4, 20, 0.5))
"""For the AUC: few examples, members almost wholly apart."""
EFFECTS: dict[str, dict[str, float]] = {
    "independent": {},
    "shared examples": {"shared": 0.5},
    "target effects": {"spread": 0.25},
    "rounded": {"step": 1.0},
    "95% tied": {"floor": float(stats.norm.ppf(0.95))},
}
CHOSEN = "chosen"


@dataclass(frozen=True, kw_only=True)
class World:
    """Scores N(0, 1) of non-members and N(d_t, 1) of members, d_t = shift + spread N(0, 1), then tied by rounding.

    Attributes:
        targets: T; every example is a member of exactly half of them (one target: half of the examples).
        examples: N.
        alpha: False positive rate.
        shift: Mean of d_t.
        shared: Correlation over targets of one example's scores.
        spread: Standard deviation of d_t over targets; without a shift every target has its own scale instead.
        step: Scores are rounded to multiples of it.
        floor: Scores below it are all equal.
    """

    targets: int
    examples: int
    alpha: float
    shift: float
    shared: float = 0.0
    spread: float = 0.0
    step: float = 0.0
    floor: float = -np.inf

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Scores and memberships, [T, N]."""
        shape = self.targets, self.examples
        if self.targets == 1:
            member = rng.permuted(np.arange(self.examples)[None] < self.examples // 2, axis=1)
        else:
            member = rng.random(shape).argsort(axis=0) < self.targets // 2
        noise = np.sqrt(1 - self.shared) * rng.normal(size=shape) + np.sqrt(self.shared) * rng.normal(size=shape[1])
        effect = rng.normal(size=(self.targets, 1))
        scores = (self.shift + self.spread * effect) * member + noise if self.shift else noise
        if self.spread and not self.shift:
            scores = scores * np.exp(effect)
        scores = np.maximum(scores, self.floor)
        return (np.round(scores / self.step) * self.step if self.step else scores), member

    def true_positives(self, threshold: np.ndarray) -> np.ndarray:
        """Share of members above a threshold, over targets."""
        spread = self.spread if self.shift else 0.0
        return np.asarray(stats.norm.sf((threshold - self.shift) / np.sqrt(1 + spread**2)))

    def curve(self, fpr: float) -> np.ndarray:
        """The ROC of untied scores."""
        return self.true_positives(stats.norm.isf(fpr))

    def truth(self) -> tuple[float, float]:
        """TPR at exactly alpha and AUC of the population; between reachable points the ROC is straight."""
        if self.step:
            cut = (np.arange(40, -41, -1) - 0.5) * self.step
            fpr, tpr = np.append(stats.norm.sf(cut), 1), np.append(self.true_positives(cut), 1)
            return float(np.interp(self.alpha, fpr, tpr)), float(np.trapezoid(tpr, fpr))
        end = float(stats.norm.sf(self.floor)) if np.isfinite(self.floor) else 1.0
        last = float(self.curve(end)) if end < 1 else 1.0
        at = self.curve(self.alpha) if self.alpha <= end else np.interp(self.alpha, [end, 1], [last, 1])
        return float(at), float(integrate.quad(self.curve, 0, end, limit=200)[0] + (1 - end) * (last + 1) / 2)


def intervals(world: World, rng: np.random.Generator, methods: bool) -> dict[str, tuple[float, float]]:
    """By `figure/method`, an interval from one draw of the world."""
    scores, member = world.draw(rng)
    table = score_table(scores, member)
    limits = {f"AUC/{CHOSEN}": auc_estimate(crossed_auc(table), table, LEVEL)}
    if world.alpha < 0.5:
        limits[f"TPR/{CHOSEN}"] = tpr_estimate(world.alpha, crossed_tpr(table, world.alpha), table, LEVEL)
    result = {name: (estimate.low, estimate.high) for name, estimate in limits.items() if estimate.low is not None}
    if methods and world.targets > 1:
        result |= _difference(scores, member, world, rng)
    if methods:
        others = _one_target if world.targets == 1 else _many_targets
        result |= others(scores, member, world, rng)
    return result


def _difference(scores: np.ndarray, member: np.ndarray, world: World, rng: np.random.Generator) -> Any:
    """A second attack of the same strength, whose scores have more noise of their own: the difference is 0."""
    noise = rng.normal(size=scores.shape)
    twin = [np.sqrt(0.8) * scores + np.sqrt(0.2) * n for n in (noise, rng.normal(size=scores.shape))]
    one, two = (score_table(values, member) for values in twin)
    pairs = {"AUC difference": crossed_auc(one) - crossed_auc(two)}
    if world.alpha < 0.5:
        pairs["TPR difference"] = crossed_tpr(one, world.alpha) - crossed_tpr(two, world.alpha)
    estimates = {name: gap.estimate(LEVEL) for name, gap in pairs.items()}
    return {f"{name}/{CHOSEN}": (gap.low, gap.high) for name, gap in estimates.items() if gap.low is not None}


def _many_targets(scores: np.ndarray, member: np.ndarray, world: World, rng: np.random.Generator) -> Any:
    table, alpha = score_table(scores, member), world.alpha
    vertex = np.array([curve.tpr_at(alpha) for curve in table.curves])
    straight = np.array([curve.weighted_tpr(interpolating_weights(curve.non_members, alpha)) for curve in table.curves])
    corrected = table.tpr_at_exactly(alpha)
    two_way = Crossed(values=corrected, influence=tpr_influence(table, alpha)).estimate(LEVEL)
    resampled = _two_way_bootstrap(scores, member, alpha, rng)
    found = {
        "TPR/last vertex, t over targets": _t(vertex),
        "TPR/last vertex, two-way bootstrap": tuple(np.nanquantile(resampled[0], [0.025, 0.975])),
        "TPR/interpolated, t over targets": _t(straight),
        "TPR/corrected, t over targets": _t(corrected),
        "TPR/corrected, studentised bootstrap over targets": _studentised(corrected, rng),
        "TPR/corrected, V_T + V_E - V_TE": (two_way.low, two_way.high),
        "AUC/t over targets": _t(table.auc()),
        "AUC/two-way bootstrap": tuple(np.nanquantile(resampled[1], [0.025, 0.975])),
    }
    return found if alpha < 0.5 else {name: value for name, value in found.items() if name.startswith("AUC")}


def _one_target(scores: np.ndarray, member: np.ndarray, world: World, _: np.random.Generator) -> Any:
    curve, alpha = roc(scores[0], member[0]), world.alpha
    below = 1 - (curve.fpr[1:] + curve.fpr[:-1]) / 2
    above = (curve.tpr[1:] + curve.tpr[:-1]) / 2
    error = np.sqrt(
        sum(
            np.cov(values, fweights=counts) / counts.sum()
            for values, counts in ((below, np.diff(curve.true_positives)), (above, np.diff(curve.false_positives)))
        )
    )
    found = {"AUC/DeLong": (curve.auc - 1.96 * error, curve.auc + 1.96 * error)}
    if alpha < 0.5:
        hits = round(curve.tpr_at(alpha) * curve.members)
        found["TPR/Clopper-Pearson given the threshold"] = _clopper_pearson(hits, hits, curve.members, 0.025)
        found["TPR/order statistics, Clopper-Pearson"] = _order_statistics(curve, alpha)
    return found


def _order_statistics(curve: Roc, alpha: float) -> tuple[float, float]:
    """Two ranks that hold the threshold of alpha between them with 97.5%, and Clopper-Pearson at 97.5%."""
    count, tail = curve.non_members, 0.0125
    rank = np.arange(1, count + 1)
    surely = stats.beta.cdf(alpha, rank, count + 1 - rank)
    first = rank[surely >= 1 - tail].max(initial=0)
    last = rank[surely <= tail].min(initial=count + 1)
    hits = curve.shares_by_rank() * curve.members
    return _clopper_pearson(int(hits[first] + 1e-9), int(np.ceil(hits[last] - 1e-9)), curve.members, tail)


def _clopper_pearson(fewer: int, more: int, trials: int, tail: float) -> tuple[float, float]:
    low = special.betaincinv(fewer, trials - fewer + 1, tail) if fewer else 0.0
    return float(low), float(special.betaincinv(more + 1, trials - more, 1 - tail)) if more < trials else 1.0


def _t(values: np.ndarray) -> tuple[float, float]:
    arm = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean() - arm), float(values.mean() + arm)


def _studentised(values: np.ndarray, rng: np.random.Generator) -> tuple[float, float]:
    drawn = values[rng.integers(len(values), size=(999, len(values)))]
    error = values.std(ddof=1) / np.sqrt(len(values))
    spread = drawn.std(axis=1, ddof=1) / np.sqrt(len(values))
    ratio = (drawn.mean(axis=1) - values.mean())[spread > 0] / spread[spread > 0]
    low, high = np.quantile(ratio, [0.025, 0.975]) if ratio.size else (0.0, 0.0)
    return float(values.mean() - high * error), float(values.mean() - low * error)


def _two_way_bootstrap(scores: np.ndarray, member: np.ndarray, alpha: float, rng: np.random.Generator) -> np.ndarray:
    """TPR at the last vertex with FPR <= alpha and AUC, means over drawn targets, in every resample, [2, B]."""
    targets, examples = scores.shape
    places = rng.integers(examples, size=(RESAMPLES, examples)) + examples * np.arange(RESAMPLES)[:, None]
    weights = np.bincount(places.ravel(), minlength=places.size).reshape(places.shape)
    drawn = rng.multinomial(targets, np.full(targets, 1 / targets), size=RESAMPLES).T / targets
    values = np.stack([_resample(*row, weights, alpha) for row in zip(scores, member, strict=True)])  # [T, 2, B]
    return np.asarray((values * drawn[:, None]).sum(axis=0))


def _resample(scores: np.ndarray, member: np.ndarray, weights: np.ndarray, alpha: float) -> np.ndarray:
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.diff(scores[order]) != 0, True)
    return np.asarray(_weighted_curves(order, last, member, weights, alpha))


@njit(cache=True)
def _weighted_curves(order, last, member, weights, alpha):
    """TPR and AUC [2, B] of one target's examples, counted weights [B, N] times; `last` ends a group of ties."""
    found = np.empty((2, len(weights)))
    for b in range(len(weights)):
        positives = negatives = 0
        for i in range(len(order)):
            positives += weights[b, i] if member[i] else 0
            negatives += 0 if member[i] else weights[b, i]
        hits = alarms = hits_before = alarms_before = best = area = 0
        for place in range(len(order)):
            i = order[place]
            hits += weights[b, i] if member[i] else 0
            alarms += 0 if member[i] else weights[b, i]
            if last[place]:
                area += (alarms - alarms_before) * (hits + hits_before)
                if alarms <= alpha * negatives * (1 + 1e-12):
                    best = hits
                hits_before, alarms_before = hits, alarms
        found[:, b] = np.nan
        if positives and negatives:
            found[0, b], found[1, b] = best / positives, area / (2 * positives * negatives)
    return found


def cell(job: tuple[str, World, int, bool]) -> None:
    """Count how often every method is right in one world; leave the counts in a file."""
    name, world, repeats, methods = job
    path = FOLDER / f"{name}.json"
    if path.exists():
        return
    tpr, auc = world.truth()
    truth = {"TPR": tpr, "AUC": auc, "TPR difference": 0.0, "AUC difference": 0.0}
    chance = {"TPR": world.alpha, "AUC": 0.5, "TPR difference": 0.0, "AUC difference": 0.0}
    seen: dict[str, list[tuple[bool, bool, float]]] = {}
    for repeat in range(repeats):
        for key, (low, high) in intervals(world, np.random.default_rng([repeat, 25]), methods).items():
            figure = key.partition("/")[0]
            right = low <= truth[figure] + 1e-12 and truth[figure] - 1e-12 <= high
            seen.setdefault(key, []).append((right, low > chance[figure] + 1e-12, high - low))
    rows = {
        key: {
            "coverage": float(np.mean([right for right, _, _ in values])),
            "above": float(np.mean([above for _, above, _ in values])),
            "length": float(np.median([length for _, _, length in values])),
            "repeats": len(values),
        }
        for key, values in seen.items()
    }
    write_json(path, {"world": {k: v for k, v in asdict(world).items() if np.isfinite(v)}, "rows": rows})


def jobs(choose: int, confirm: int) -> list[tuple[str, World, int, bool]]:
    """Every cell, for all methods with `choose` repeats and for the chosen one with `confirm`."""
    found = []
    for (targets, examples, alpha), shift, (effect, extra) in product(SIZES, (0.0, 1.0), EFFECTS.items()):
        if targets == 1 and effect in ("shared examples", "target effects"):
            continue
        world = World(targets=targets, examples=examples, alpha=alpha, shift=shift, **extra)
        found.append((f"{targets}x{examples}@{alpha:g} d={shift:g} {effect}", world))
    for (targets, examples, alpha), shift in product(SMALL, (0.0, 1.0, 2.5)):
        world = World(targets=targets, examples=examples, alpha=alpha, shift=shift)
        found.append((f"{targets}x{examples} d={shift:g} independent", world))
    for targets, examples, alpha in ((4, 1000, 0.01), (16, 1000, 0.01), (16, 5000, 0.001), (64, 500, 0.01)):
        world = World(targets=targets, examples=examples, alpha=alpha, shift=1.0, spread=0.5)
        found.append((f"stress {targets}x{examples}@{alpha:g} d=1 target effects of .5", world))
    some = [(f"choose {choose} {name}", world, choose, True) for name, world in found]
    return some + [(f"confirm {confirm} {name}", world, confirm, False) for name, world in found]


def summary(choose: int, confirm: int) -> list[str]:
    """The tables in Markdown."""
    read = {name: json.loads((FOLDER / f"{name}.json").read_text())["rows"] for name, *_ in jobs(choose, confirm)}
    stage = {
        word: {k.split(" ", 2)[2]: v for k, v in read.items() if k.startswith(word)} for word in ("choose", "confirm")
    }
    return [*_methods(stage["choose"]), "", *_cells(stage["confirm"], stage["choose"])]


def _methods(cells: dict[str, Any]) -> list[str]:
    """One row for each figure, number of targets and method: its worst cell, and whether it covers in all of them."""
    lines = [
        f"## Choosing ({max(row['repeats'] for rows in cells.values() for row in rows.values())} repeats a cell)",
        "",
        "| figure | targets | method | smallest coverage | in | null intervals above chance, at most | covers |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for (figure, targets), keys in _keys(cells).items():
        for key in keys:
            mine = {name: rows[key] for name, rows in _of(cells, targets).items() if key in rows}
            worst = min(mine, key=lambda name: mine[name]["coverage"])
            above = max((row["above"] for name, row in mine.items() if _null(name, figure)), default=0.0)
            lines.append(
                f"| {figure} | {targets} | {key.partition('/')[2]} | {mine[worst]['coverage']:.3f} | {worst} | "
                f"{above:.3f} | {'yes' if _covers(mine) else 'no'} |"
            )
    return lines


def _keys(cells: dict[str, Any]) -> dict[tuple[str, str], list[str]]:
    """By figure and number of targets, the methods."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for name, rows in cells.items():
        for key in rows:
            if not name.startswith("stress"):
                found.setdefault((key.partition("/")[0], name.partition("x")[0]), {})[key] = None
    return {where: list(keys) for where, keys in sorted(found.items())}


def _of(cells: dict[str, Any], targets: str) -> dict[str, Any]:
    return {name: rows for name, rows in cells.items() if name.startswith(f"{targets}x")}


def _null(name: str, figure: str) -> bool:
    return "d=0" in name or "difference" in figure


def _covers(mine: dict[str, Any]) -> bool:
    """Whether coverage is at least .93 in every cell, as far as the repeats can tell."""
    return all(row["coverage"] >= 0.93 - 2 * _error(0.93, row["repeats"]) for row in mine.values())


def _ratios(cells: dict[str, Any]) -> dict[tuple[str, str], float]:
    """By cell and figure, the chosen length over that of the narrowest method that covers at this number of targets."""
    found = {}
    for (figure, targets), keys in _keys(cells).items():
        group = _of(cells, targets)
        good = [key for key in keys if _covers({name: rows[key] for name, rows in group.items() if key in rows})]
        for name, rows in group.items():
            lengths = [rows[key]["length"] for key in good if key in rows]
            if f"{figure}/{CHOSEN}" in rows and lengths and min(lengths) > 0:
                found[name, figure] = rows[f"{figure}/{CHOSEN}"]["length"] / min(lengths)
    return found


def _cells(cells: dict[str, Any], choosing: dict[str, Any]) -> list[str]:
    """One row for each cell of the chosen method, and the demands; differences as often as there was to choose."""
    lines, coverage, above, paired, ratios = [], [], [], [], _ratios(choosing)
    gaps = {name: {k: v for k, v in rows.items() if "difference" in k} for name, rows in choosing.items()}
    for name, rows in cells.items():
        for key, row in (rows | gaps[name]).items():
            figure = key.partition("/")[0]
            if "difference" in figure:
                paired.append(row["coverage"])
            elif not name.startswith("stress"):
                coverage.append(row["coverage"])
                above += [row["above"]] if _null(name, figure) else []
            error, ratio = _error(row["coverage"], row["repeats"]), ratios.get((name, figure))
            lines.append(
                f"| {name} | {figure} | {row['coverage']:.3f} ± {error:.3f} | "
                + (f"{row['above']:.3f} | " if _null(name, figure) else " | ")
                + f"{row['length']:.4f} | {'' if ratio is None else f'{ratio:.2f}'} |"
            )
    largest = max(ratios.values())
    repeats = max(row["repeats"] for rows in cells.values() for row in rows.values())
    verdicts = (
        ("smallest coverage", min(coverage), ">= 0.93", min(coverage) >= 0.93),
        ("smallest coverage of a paired difference, fewer repeats", min(paired), ">= 0.92", min(paired) >= 0.92),
        ("null intervals wholly above chance, at most", max(above), "<= 0.03", max(above) <= 0.03),
        ("length / narrowest that covers at this number of targets, at most", largest, "<= 1.6", largest <= 1.6),
    )
    return [
        f"## Confirming what was chosen ({repeats} repeats a cell)",
        "",
        "| demand | found | required | met |",
        "| --- | --- | --- | --- |",
        *(
            f"| {what} | {found:.3f} | {required} | {'yes' if met else 'NO'} |"
            for what, found, required, met in verdicts
        ),
        "",
        "A cell is `targets x examples @ FPR`, the members' shift d, and what ties or correlates the scores; ± is the "
        "Monte-Carlo standard error. Rows that begin with *stress* have target effects so strong that TPRs differ "
        "tenfold between targets; they are shown, not demanded. Differences are between two attacks of equal strength.",
        "",
        "| cell | figure | coverage | above chance | median length | length / narrowest that covers |",
        "| --- | --- | --- | --- | --- | --- |",
        *lines,
    ]


def _error(share: float, repeats: int) -> float:
    return float(np.sqrt(share * (1 - share) / repeats))


def main() -> None:
    """Run what is missing and write the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--choose", type=int, default=500)
    parser.add_argument("--confirm", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    todo = sorted(
        jobs(arguments.choose, arguments.confirm),
        key=lambda job: -job[1].targets * job[1].examples * job[2] * (1 + 4 * job[3]),
    )
    with get_context("spawn").Pool(arguments.workers) as pool:
        for number, _ in enumerate(pool.imap_unordered(cell, todo, chunksize=1), 1):
            print(f"{number} of {len(todo)} cells", end="\r", flush=True)
    write_results("coverage", "python benchmarks/interval_coverage.py", summary(arguments.choose, arguments.confirm))


if __name__ == "__main__":
    main()
