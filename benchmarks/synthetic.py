"""The synthetic study at sigma 2 and 8 modes against the paper's accuracies, and what r_Q ranks.

.venv/bin/python benchmarks/synthetic.py --draws 3
"""

from __future__ import annotations

import argparse

import pandas as pd

from quantleak.quantizers import PAPER_A
from quantleak.studies.synthetic import ACCURACY_AT_SIGMA_2, Synthetic, agreement, over_draws
from report import write_results

# Written before the run.
LARGEST_ACCURACY_ERROR = 0.02
LEAST_CORRELATION = 0.7
SCORES = {
    "mean r_Q": lambda means: means["r_q"],
    "mean Cramer rate": lambda means: means["cramer"],
    "minus the number of elements": lambda means: -means["elements"],
}


def main() -> None:
    """Run the study and write a dated file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--models", type=int, default=64)
    asked = parser.parse_args()
    settings = Synthetic(models=asked.models)
    frames = over_draws(settings, asked.draws)
    by_draw = pd.concat([f.groupby("quantizer")[["accuracy"]].mean().assign(draw=i) for i, f in enumerate(frames)])
    means = (
        pd.concat(frames).groupby("quantizer")[["r_q", "elements", "resolution", "attack"]].mean().loc[list(PAPER_A)]
    )
    accuracy = by_draw.groupby("quantizer")["accuracy"].agg(["mean", "std"]).loc[list(PAPER_A)]
    paper = pd.Series(ACCURACY_AT_SIGMA_2[settings.modes], index=list(PAPER_A))
    lines = [
        f"sigma {settings.sigma:g}, {settings.modes} modes, {asked.draws} draws, {settings.models} models each.",
        "",
        "| quantizer | accuracy | sd over draws | paper | difference | mean r_Q | z | elements | LOSS: MIS bound |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for spec in PAPER_A:
        mean, spread = accuracy.loc[spec]
        r_q, elements, z, attack = means.loc[spec]
        lines.append(
            f"| {spec} | {mean:.3f} | {spread:.3f} | {paper[spec]:.3f} | {mean - paper[spec]:+.3f} | {r_q:.3g} "
            f"| {z:.2f} | {elements:.0f} | {min(1.0, 2 * (1 - attack)):.3f} |"
        )
    worst = float((accuracy["mean"] - paper).abs().max())
    lines += [
        "",
        f"- largest difference from the paper's accuracies: {worst:.3f}",
        f"  (threshold {LARGEST_ACCURACY_ERROR}: {_verdict(worst <= LARGEST_ACCURACY_ERROR)})",
    ]
    for name, score in SCORES.items():
        found = agreement(frames, score)
        lines.append(
            f"- Spearman of {name} with the MIS bound over the 8 quantizers: {found.value:.2f} "
            f"[{found.low:.2f}, {found.high:.2f}]"
        )
        if name == "mean r_Q":
            lines.append(f"  (threshold {LEAST_CORRELATION}: {_verdict(found.value > LEAST_CORRELATION)})")
    command = f".venv/bin/python benchmarks/synthetic.py --draws {asked.draws} --models {asked.models}"
    write_results(f"synthetic_{asked.draws}x{asked.models}", command, lines)


def _verdict(holds: bool) -> str:
    return "holds" if holds else "REFUTED"


if __name__ == "__main__":
    main()
