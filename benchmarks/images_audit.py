"""The audit of a ResNet-8 on CIFAR-10 images under post-training quantization, and what was claimed of it before.

    python benchmarks/images_audit.py --data-dir FOLDER --out FOLDER [--report FILE.md] [--small]

The data are a folder in the layout of the Hugging Face Hub, such as 10,000 images of CIFAR-10. `--small` takes a pool
of 2,000 of them. The thresholds of the claims stand below; they were written before the run, and a claim that is
refuted stays here.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats

import quantleak as ql
from quantleak.cli.progress import Progress

FOUR_BITS = ("rtn:4", "obq:4", "adaround:4")
LEARNED = ("obq:2", "adaround:2")
NEAREST = "rtn:2"
COMMON = {"model": "resnet:8", "models": 16, "schedule": "cosine", "precision": "bfloat16", "batch": 128}
LARGE = COMMON | {"epochs": 20, "optimizer": "sgd:0.05?momentum=0.9&weight_decay=0.0005", "evaluate_every": 20}
SMALL = LARGE | {"epochs": 40, "pool": 2000, "evaluate_every": 40}
QUANTIZERS = (*FOUR_BITS, NEAREST, *LEARNED, "noise:obq:2")


@dataclass(frozen=True)
class Claim:
    """What is claimed, and a function of the result that says what was seen and whether it holds."""

    text: str
    seen: Callable[[ql.AuditResult], tuple[str, bool]]


def _lira(result: ql.AuditResult, key: str) -> float:
    attack = next(one for one in result["identity"].attacks if one.name == "lira-online" and one.via is None)
    return float(attack.auc if key == "auc" else attack.tpr[key])


def _accuracy_gap(result: ql.AuditResult, one: str, two: str) -> tuple[float, float, float]:
    """Mean of the paired differences in accuracy over models, with its 95% t interval."""
    table = result.models.pivot(index="model", columns="quantizer", values="accuracy")
    gaps = (table[one] - table[two]).to_numpy()
    arm = stats.t.ppf(0.975, len(gaps) - 1) * stats.sem(gaps)
    return float(np.mean(gaps)), float(np.mean(gaps) - arm), float(np.mean(gaps) + arm)


def _at_least(key: str, threshold: float) -> Callable[[ql.AuditResult], tuple[str, bool]]:
    def seen(result: ql.AuditResult) -> tuple[str, bool]:
        value = _lira(result, key)
        return f"{value:.3f}", value >= threshold

    return seen


def _near(spec: str) -> Callable[[ql.AuditResult], tuple[str, bool]]:
    def seen(result: ql.AuditResult) -> tuple[str, bool]:
        value, low, high = _accuracy_gap(result, spec, "identity")
        return f"{value:+.4f} [{low:+.4f}, {high:+.4f}]", abs(value) <= 0.01

    return seen


def _as_leaky(spec: str) -> Callable[[ql.AuditResult], tuple[str, bool]]:
    def seen(result: ql.AuditResult) -> tuple[str, bool]:
        one, two = result[spec].worst, result["identity"].worst
        low, high = (float("nan") if end is None else end for end in (two.low, two.high))
        return f"{one.text()} beside {two.text()}", low <= float(one) <= high

    return seen


def _better(spec: str) -> Callable[[ql.AuditResult], tuple[str, bool]]:
    def seen(result: ql.AuditResult) -> tuple[str, bool]:
        value, low, high = _accuracy_gap(result, spec, NEAREST)
        return f"{value:+.4f} [{low:+.4f}, {high:+.4f}]", low > 0

    return seen


CLAIMS = (
    Claim("Full-precision models leak: the AUC of online LiRA is at least 0.70", _at_least("auc", 0.70)),
    *(Claim(f"{spec} keeps the accuracy of full precision within 0.01", _near(spec)) for spec in FOUR_BITS),
    *(Claim(f"The leakage of {spec} lies in the interval of full precision", _as_leaky(spec)) for spec in FOUR_BITS),
    *(Claim(f"{spec} has a higher accuracy than {NEAREST} beyond doubt", _better(spec)) for spec in LEARNED),
)
SMALL_CLAIMS = (
    Claim("Full-precision models leak: the AUC of online LiRA is at least 0.75", _at_least("auc", 0.75)),
    Claim("Online LiRA finds at least 5% of the members at 1% false alarms", _at_least("0.01", 0.05)),
    *CLAIMS[1:],
)


def main() -> None:
    """Audit, check the claims, write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--report", type=Path)
    parser.add_argument("--small", action="store_true")
    options = parser.parse_args()
    dataset = ql.read_images(options.data_dir)
    settings = SMALL if options.small else LARGE
    with Progress() as progress:
        result = ql.audit(dataset, out=options.out, progress=progress, quantizers=QUANTIZERS, **settings)
    rows = [(claim.text, *claim.seen(result)) for claim in (SMALL_CLAIMS if options.small else CLAIMS)]
    lines = ["| claim | seen | holds |", "| --- | --- | --- |"]
    lines += [f"| {text} | {seen} | {'yes' if holds else '**no**'} |" for text, seen, holds in rows]
    timings = ", ".join(f"{name} {value:.0f}" for name, value in result.timings.items())
    text = f"{result}\n\nSeconds: {timings}\n\n" + "\n".join(lines) + "\n"
    print(text)
    if options.report:
        options.report.write_text(text)


if __name__ == "__main__":
    main()
