"""Whether two checkouts give the same numbers, bit for bit.

    python benchmarks/compare_checkouts.py BASE NEW --data-dir FOLDER --out FOLDER [--only NAME ...]

Runs six jobs in each checkout (folders with `src/quantleak`): audits of breast_cancer, digits and diabetes, of AMES (a
CSV file with columns `Drug` and `Y` in the data folder), and of a user's convolution with BatchNorm on digits, and the
quick synthetic study. A run is kept under `--out` with the state of its checkout and made again only when that changed.

Compared are `result.json` and `claims.json` as trees, every Parquet table and every CSV of a figure: names, order,
dtypes, and every number bit for bit. Left out are times, versions and hashes, stored jobs, and pages. Names that were
changed on purpose stand in `RENAMED`. Ends with 1 if anything differs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

RENAMED: dict[str, str] = {"biases": "unquantized_dtype"}
"""Keys and columns of the base by their new names."""
REWORDED = {
    "rival": "competitor",
    "cannot be told from": "cannot be distinguished from",
    "not told from": "not distinguished from",
    "told apart": "distinguished",
    "asked for: ": "requested: ",
    "bits a weight": "bits per weight",
}
"""Words in texts of the base, names of scores and claims among them, by their new words."""
IGNORED = {"id", "timings", "versions", "seconds", "trainings_seconds"}
"""What differs between equal runs, or says which code ran."""
MODEL = """
from torch import nn


def make(shape, outputs):
    return nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)),
        nn.Conv2d(1, 4, 3),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(144, outputs),
    )
"""
SMALL = ("--models", "12", "--epochs", "8", "--workers", "1", "--quiet")
STUDY = ("reproduce", "synthetic", "--preset", "quick", "--quiet")


def jobs(data: Path) -> dict[str, tuple[str, ...]]:
    """The arguments of every job but for its folder."""
    some = tuple(word for spec in ("sign", "ternary:0.5", "uniform:4") for word in ("--quantizer", spec))
    return {
        "breast_cancer": ("audit", "--dataset", "breast_cancer", *SMALL),
        "digits": ("audit", "--dataset", "digits", *SMALL),
        "diabetes": ("audit", "--dataset", "diabetes", *SMALL),
        "AMES": ("audit", "--data", str(data / "AMES.csv"), "--smiles", "Drug", "--target", "Y", *SMALL, *some),
        "convolution": ("audit", "--dataset", "digits", "--model", "convolution:make", *SMALL, *some),
        "synthetic": STUDY,
    }


def run(checkout: Path, arguments: tuple[str, ...], out: Path) -> None:
    """Run one job, or keep what the same code made before."""
    stamp, state = out.with_suffix(".state"), code_state(checkout) + json.dumps(arguments)
    if stamp.exists() and stamp.read_text() == state:
        return
    subprocess.run(["rm", "-rf", str(out)], check=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    (out.parent / "convolution.py").write_text(MODEL)
    environment = {**os.environ, "PYTHONPATH": str(checkout / "src"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "quantleak", *arguments, "--out", str(out)]
    subprocess.run(command, check=True, env=environment, cwd=out.parent, stdout=subprocess.DEVNULL)
    stamp.write_text(state)


def code_state(checkout: Path) -> str:
    """SHA-256 of all source files."""
    total = hashlib.sha256()
    for path in sorted((checkout / "src").rglob("*")):
        if path.suffix in {".py", ".j2", ".css"}:
            total.update(path.relative_to(checkout).as_posix().encode() + path.read_bytes())
    return total.hexdigest()


def files(out: Path) -> dict[str, Path]:
    """What is compared, by its name in the folder."""
    found = [*out.glob("*.parquet"), *out.glob("result.json"), *out.glob("claims.json"), *out.glob("figures/*.csv")]
    return {str(path.relative_to(out)): path for path in sorted(found)}


def leaves(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Every plain value of a tree with its place."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in IGNORED:
                yield from leaves(item, f"{place}/{RENAMED.get(key, key)}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from leaves(item, f"{place}/{number}")
    else:
        yield place, reworded(value) if isinstance(value, str) else value


def reworded(text: str) -> str:
    """A text of the base in the words of the new checkout."""
    for old, new in REWORDED.items():
        text = text.replace(old, new)
    return text


def table(path: Path) -> dict[str, np.ndarray]:
    """The columns of a table; CSV as the texts that stand there."""
    frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, dtype=str, keep_default_na=False)
    for name in frame.select_dtypes(["object", "string"]).columns:
        frame[name] = frame[name].map(lambda value: reworded(value) if isinstance(value, str) else value)
    return {RENAMED.get(str(name), str(name)): frame[name].to_numpy() for name in frame.columns}


def equal(one: np.ndarray, two: np.ndarray) -> bool:
    """Equal in dtype, shape and every bit; NaN equals NaN."""
    if one.dtype != two.dtype or one.shape != two.shape:
        return False
    return one.tolist() == two.tolist() if one.dtype.hasobject else one.tobytes() == two.tobytes()


def differences(base: Path, new: Path) -> tuple[int, list[str]]:
    """Number of values compared in two files of one name, and where they differ."""
    if base.suffix == ".json":
        one, two = (list(leaves(json.loads(path.read_text()))) for path in (base, new))
        # repr: a float is written so that it is read back bit for bit, and 1 is not 1.0.
        found = [f"{a} | {b}" for a, b in zip(one, two, strict=False) if repr(a) != repr(b)]
        return len(one), found + ([f"{len(one)} | {len(two)} values"] if len(one) != len(two) else [])
    left, right = table(base), table(new)
    if list(left) != list(right):
        return 0, [f"columns {list(left)} | {list(right)}"]
    return sum(column.size for column in left.values()), [
        f"column {name}: {left[name][:3]} | {right[name][:3]}" for name in left if not equal(left[name], right[name])
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("base", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", nargs="*")
    given = parser.parse_args()
    total = 0
    print(f"{'job':<14} {'files':>5} {'values':>8} {'differ':>6}")
    for name, arguments in jobs(given.data_dir.resolve()).items():
        if given.only and name not in given.only:
            continue
        base, new = (given.out.resolve() / side / name for side in ("base", "new"))
        run(given.base.resolve(), arguments, base)
        run(given.new.resolve(), arguments, new)
        left, right = files(base), files(new)
        found = [f"{one}: only in one of the two" for one in sorted(left.keys() ^ right.keys())]
        compared = 0
        for one in sorted(left.keys() & right.keys()):
            values, unlike = differences(left[one], right[one])
            compared += values
            found += [f"{one}{place}" for place in unlike]
        total += len(found)
        print(f"{name:<14} {len(left):>5} {compared:>8} {len(found):>6}", flush=True)
        for line in found[:20]:
            print(f"    {line}")
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
