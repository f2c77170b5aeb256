"""What the calibration set gives away, and what it costs in accuracy to calibrate on other data.

    python benchmarks/calibration.py --images digits --public FOLDER --out FOLDER [--report FILE.md]
    python benchmarks/calibration.py --images FOLDER --pool 2000 --public FOLDER --out FOLDER [--report FILE.md]

Three methods at 2 bits, each calibrated on four sources: every model's own members, held-out examples, public images
of another data set (brought to the form of the audited ones), and synthetic noise. All are quantized from the same
models and read equally many examples. Intervals are at 95%. The thresholds of the claims stand below; they were written
before the run, and a claim that is refuted stays here.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from scipy import stats

import quantleak as ql
from quantleak.cli.progress import Progress
from quantleak.ptq import procedure
from quantleak.ptq.procedure import SOURCES

METHODS = {"OBQ": "obq:2", "AdaRound": "adaround:2", "BRECQ": "brecq:2"}
OPTIONS = {"obq:2": "", "adaround:2": "iterations=1000&", "brecq:2": "iterations=400&"}
DIGITS = {"model": "resnet:8?width=8", "epochs": 40, "batch": 32, "optimizer": "sgd:0.05?momentum=0.9"}
PHOTOS = {"model": "resnet:8", "epochs": 40, "batch": 128, "optimizer": "sgd:0.05?momentum=0.9&weight_decay=0.0005"}
COLUMNS = ("method", "calibrated on", "accuracy", "members found", "AUC, members used against other members",
           "found of these less found of others", "AUC, held-out examples used against unused")  # fmt: skip


def _gap(result: ql.AuditResult, one: str, two: str) -> tuple[float, float, float]:
    """Mean of the paired differences in accuracy over models, with its 95% t interval."""
    table = result.models.pivot(index="model", columns="quantizer", values="accuracy")
    gaps = (table[one] - table[two]).to_numpy()
    arm = float(stats.t.ppf(0.975, len(gaps) - 1) * stats.sem(gaps))
    return float(gaps.mean()), float(gaps.mean()) - arm, float(gaps.mean()) + arm


def claims(result: ql.AuditResult, specs: dict[tuple[str, str], str]) -> list[tuple[str, str, bool]]:
    """What was claimed, what was seen, whether it holds."""
    found = []
    for method in METHODS:
        members, held_out, public, synthetic = (specs[method, source] for source in SOURCES)
        one, two = result[members].calibration, result[held_out].calibration
        assert one is not None
        assert two is not None
        auc = one.auc
        found.append(
            (f"{method}: calibrating gives members away further (AUC above 0.5 beyond doubt)", auc.text(),
             (auc.low or 0) > 0.5)
        )  # fmt: skip
        found.append(
            (f"{method}: it can be told which held-out examples calibrated (AUC above 0.5 beyond doubt)",
             two.held_out_auc.text(), (two.held_out_auc.low or 0) > 0.5)
        )  # fmt: skip
        for name, spec, most in (
            ("held-out", held_out, 0.01),
            ("public", public, 0.02),
            ("synthetic", synthetic, 0.05),
        ):
            value, low, high = _gap(result, spec, members)
            seen = f"{value:+.4f} [{low:+.4f}, {high:+.4f}]"
            found.append((f"{method}: {name} examples cost at most {most} of accuracy", seen, value >= -most))
    return found


def main() -> None:
    """Audit once, write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", required=True)
    parser.add_argument("--public", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--report", type=Path)
    parser.add_argument("--models", type=int, default=16)
    parser.add_argument("--pool", type=int, default=0)
    options = parser.parse_args()
    specs = {
        (method, source): procedure(f"{spec}?{OPTIONS[spec]}calibration={source}").spec
        for method, spec in METHODS.items()
        for source in SOURCES
    }
    settings = (DIGITS if options.images == "digits" else PHOTOS) | {"pool": options.pool, "models": options.models}
    with Progress() as progress:
        result = ql.audit(
            ql.read_images(options.images),
            out=options.out,
            progress=progress,
            quantizers=("rtn:2", *specs.values()),
            schedule="cosine",
            precision="bfloat16",
            evaluate_every=settings["epochs"],
            public_images=options.public,
            **settings,
        )
    fpr = result["identity"].worst.fpr
    original = result["identity"]
    text = [
        f"{result.data['name']}: {options.models} models of {settings['model']}, {result.n['members']} members each; "
        f"accuracy {original.utility.text()}, strongest attack on full precision {original.worst.text()} "
        + ("(AUC)" if fpr is None else f"of the members at {fpr:.1%} false alarms")
        + f"; rounding to 2 bits without any data {result['rtn:2'].utility.text()} and {result['rtn:2'].worst.text()}. "
        f"Each model is calibrated on {result[specs['OBQ', 'members']].calibration.examples} examples.",
        "",
        f"| {' | '.join(COLUMNS)} |",
        f"|{' --- |' * len(COLUMNS)}",
    ]
    for (method, source), spec in specs.items():
        row = result[spec]
        one = row.calibration
        assert one is not None
        cells = (method, source, row.utility.text(), row.worst.text(), one.auc.text(), one.difference.text())
        text.append(f"| {' | '.join((*cells, one.held_out_auc.text()))} |")
    text += ["", "| claim | seen | holds |", "| --- | --- | --- |"]
    text += [f"| {claim} | {seen} | {'yes' if holds else '**no**'} |" for claim, seen, holds in claims(result, specs)]
    table = "\n".join(text) + "\n"
    print(table)
    if options.report:
        options.report.write_text(table)


if __name__ == "__main__":
    main()
