"""Which attack is the strongest where, and which is never among the strongest.

    OMP_NUM_THREADS=1 python benchmarks/attack_sweep.py --data-dir FOLDER

Audits ten data sets with 8, 16 and 64 models each: the four bundled ones and scikit-learn's iris, three of Therapeutics
Data Commons (CSV files with columns `Drug` and `Y` in FOLDER; without it they are left out), and two draws of the
mixture of Gaussians. Every audit keeps its folder under `out/attack_sweep`, so that the same command goes on where it
was stopped. Writes `benchmarks/results/attack_sweep_<date>.md`; a quarter of an hour of one core.

The rule, written before the first full run:

- A cell is one quantizer of one audit, the original included. The figure of an attack in a mode is its true-positive
  rate over all targets at the rate of the cell's headline, or its AUC where the targets support no rate. The best is
  the attack and mode with the largest figure; the figure of an attack is that of its best mode. An attack on the
  original that quantizes first is not counted: it is that of another cell.
- Nothing is found in a cell where the interval of the best reaches down to guessing. There every attack is as good as
  the best, and the cell does not count.
- An attack is within reach of the best where its figure is at least the lower limit of the best one's interval.
- An attack that is within reach in no cell that counts, with no number of models, leaves the default list. LOSS stays
  in any case: its curve is drawn beside that of the strongest attack, as what needs no shadow models.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.datasets import load_iris

import quantleak as ql
from attack_sweep_ratio import check_ratios, ratio_table
from quantleak.attacks import ATTACKS
from quantleak.auditing import AuditResult, Settings
from quantleak.data import Dataset, Mixture
from quantleak.results import Estimate, QuantizerResult
from report import write_results

OUT = Path(__file__).parent.parent / "out" / "attack_sweep"
COMMAND = "OMP_NUM_THREADS=1 python benchmarks/attack_sweep.py"
MODELS = (8, 16, 64)
QUANTIZERS = ("identity", "sign", "ternary:0.5", "uniform:2", "uniform:4")
TDC = ("AMES", "BBB_Martins", "Caco2_Wang")
EPOCHS = {"AMES": 15, "BBB_Martins": 30}
"""Fewer where epochs are long and 60 are not needed to overfit."""
USUAL_EPOCHS = 60


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One quantizer of one audit: the figure of every attack and mode."""

    audit: str
    models: int
    spec: str
    chance: float
    best: tuple[str, str]
    limits: Estimate
    figures: dict[tuple[str, str], float]

    @classmethod
    def of(cls, audit: str, models: int, row: QuantizerResult) -> Cell:
        fpr = row.worst.fpr
        numbers = {
            (attack.name, attack.mode): attack.auc if fpr is None else attack.tpr[f"{fpr:g}"]
            for attack in row.attacks
            if attack.via is None and attack.reason is None
        }
        figures = {key: number.value for key, number in numbers.items() if number.value is not None}
        best = max(figures, key=lambda key: figures[key])
        chance = 0.5 if fpr is None else fpr
        return cls(
            audit=audit, models=models, spec=row.spec, chance=chance, best=best, limits=numbers[best], figures=figures
        )

    @property
    def counts(self) -> bool:
        """Whether anything is found."""
        return self.low > self.chance

    @property
    def low(self) -> float:
        assert self.limits.low is not None
        return self.limits.low

    def figure(self, attack: str) -> float:
        """That of an attack's best mode."""
        return max((value for (name, _), value in self.figures.items() if name == attack), default=-math.inf)

    def within(self, attack: str) -> bool:
        return self.figure(attack) >= self.low

    def shortfall(self, attack: str) -> float:
        """By how much it is below the best, relative to the best."""
        return 1 - self.figure(attack) / self.figures[self.best]

    def loss_without(self, attack: str) -> float:
        """By how much the best falls if this attack is taken away, relative to the best."""
        others = max(value for (name, _), value in self.figures.items() if name != attack)
        return max(0.0, 1 - others / self.figures[self.best])


def main() -> None:
    parser = argparse.ArgumentParser(description="Which attack is the strongest where.")
    parser.add_argument("--data-dir", type=Path, help="folder with AMES.csv, BBB_Martins.csv and Caco2_Wang.csv")
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    sources = dict(datasets(given.data_dir))
    if given.data_dir is None:
        print(f"No --data-dir: the sets of Therapeutics Data Commons ({', '.join(TDC)}) are left out.")
    cells, checks = [], []
    for name, read in sources.items():
        dataset = read()
        for models in MODELS:
            audit = f"{name}-{models}"
            settings = settings_of(name, models)
            result = ql.audit(dataset, settings, out=OUT / audit, workers=given.workers)
            cells += [Cell.of(name, models, row) for row in result.quantizers]
            if dataset.task != "regression":
                checks += check_ratios(audit, dataset, settings, result, OUT)
            print(audit, sizes(result), flush=True)
    command = COMMAND + (" --data-dir FOLDER" if given.data_dir else "")
    write_results("attack_sweep", command, [*report(cells, list(sources)), "", *ratio_table(checks)])


def settings_of(name: str, models: int) -> Settings:
    # No privacy rate is looked at, so that the trajectory is read at its end alone.
    epochs = EPOCHS.get(name, USUAL_EPOCHS)
    return Settings(models=models, epochs=epochs, evaluate_every=epochs, quantizers=QUANTIZERS, device="cpu")


def datasets(folder: Path | None) -> Iterator[tuple[str, Callable[[], Dataset]]]:
    """The data sets by name, each read when its turn comes."""
    for name in ("breast_cancer", "digits", "wine", "diabetes"):
        yield name, lambda name=name: ql.bundled(name)
    yield "iris", lambda: ql.from_arrays(*load_iris(return_X_y=True), name="iris", task="multiclass")
    for name in TDC if folder is not None else ():
        yield name, lambda name=name: ql.read_molecules(folder / f"{name}.csv", "Drug", "Y")
    for draw in (1, 2):
        yield f"mixture-{draw}", lambda draw=draw: mixture(draw)


def mixture(draw: int) -> Dataset:
    sample = Mixture(modes=16, sigma=2.0, seed=draw).sample(2000, np.random.default_rng(draw))
    return ql.from_arrays(sample.features, sample.labels, name=f"mixture-{draw}", task="binary")


def sizes(result: AuditResult) -> str:
    return f"{result.n['pool']} pool, {result.timings['train']:.0f} s training, {result.timings['attack']:.0f} s attack"


def report(cells: list[Cell], names: list[str]) -> list[str]:
    counting = [cell for cell in cells if cell.counts]
    leaving = [
        kind.name for kind in ATTACKS if kind.name != "loss" and not any(cell.within(kind.name) for cell in counting)
    ]
    epochs = [str(USUAL_EPOCHS), *(f"{number} on {name}" for name, number in EPOCHS.items() if name in names)]
    return [
        f"Data sets: {', '.join(names)}. {', '.join(map(str, MODELS))} models, `mlp:128`, epochs {', '.join(epochs)}; "
        f"quantizers "
        f"{', '.join(QUANTIZERS)}. The rule is in the script's docstring. {len(counting)} of {len(cells)} cells count; "
        "in the others the interval of the best attack reaches down to guessing.",
        "",
        f"Leave the default list: {', '.join(leaving) or 'none'}."
        + ("" if any(cell.within("loss") for cell in counting) else " LOSS is never within reach and stays."),
        "",
        *attack_table(counting),
        "",
        *mode_table(counting),
        "",
        *cell_table(cells),
    ]


def attack_table(cells: list[Cell]) -> list[str]:
    columns = [f"{what}, {models}" for what in ("best", "within", "shortfall") for models in MODELS]
    lines = [
        "## Each attack in its best mode",
        "",
        "Cells where it is the best, and where it is within reach of the best; the median over cells of how far it is "
        "below the best, relative to the best; by number of models. Last, by how much the best of a cell falls at most "
        "if this attack is taken away.",
        "",
        f"| attack | {' | '.join(columns)} | most lost without |",
        "| --- |" + " ---: |" * (len(columns) + 1),
    ]
    split = [[cell for cell in cells if cell.models == models] for models in MODELS]
    lines.append(f"| all cells | {' | '.join(str(len(some)) for some in split)} |" + " |" * (2 * len(MODELS) + 1))
    for name in (kind.name for kind in ATTACKS):
        best = [str(sum(cell.best[0] == name for cell in some)) for some in split]
        within = [str(sum(cell.within(name) for cell in some)) for some in split]
        short = [f"{100 * np.median([cell.shortfall(name) for cell in some]):.1f}%" if some else "-" for some in split]
        lost = max(cell.loss_without(name) for cell in cells)
        lines.append(f"| {name} | {' | '.join([*best, *within, *short])} | {100 * lost:.1f}% |")
    return lines


def mode_table(cells: list[Cell]) -> list[str]:
    """Of the quantized models alone: the original has one mode."""
    quantized = [cell for cell in cells if cell.spec != "identity"]
    modes = ("none", "adaptive", "transfer", "recalibrated")
    lines = [
        "## Modes",
        "",
        f"The best attack's mode in the {len(quantized)} cells of quantized models.",
        "",
        f"| quantizer | {' | '.join(modes)} |",
        "| --- |" + " ---: |" * len(modes),
    ]
    for spec in QUANTIZERS[1:]:
        counts = [str(sum(cell.spec == spec and cell.best[1] == mode for cell in quantized)) for mode in modes]
        lines.append(f"| {spec} | {' | '.join(counts)} |")
    return lines


def cell_table(cells: list[Cell]) -> list[str]:
    lines = [
        "## The best attack of every cell",
        "",
        "Its figure and interval: the TPR at the named FPR, or the AUC. In parentheses where nothing is found.",
        "",
        f"| data, models | figure | {' | '.join(QUANTIZERS)} |",
        "| --- | --- |" + " --- |" * len(QUANTIZERS),
    ]
    for audit, models in dict.fromkeys((cell.audit, cell.models) for cell in cells):
        row = {cell.spec: cell for cell in cells if (cell.audit, cell.models) == (audit, models)}
        chance = row["identity"].chance
        figure = "AUC" if chance == 0.5 else f"TPR at {chance:.1%}"
        lines.append(f"| {audit}, {models} | {figure} | {' | '.join(map(shown, (row[spec] for spec in QUANTIZERS)))} |")
    return lines


def shown(cell: Cell) -> str:
    name, mode = cell.best
    text = f"{name}{'' if mode == 'none' else f', {mode}'} {cell.limits.text()}"
    return text if cell.counts else f"({text})"


if __name__ == "__main__":
    main()
