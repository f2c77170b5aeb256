"""Packages of other people, made in a temporary folder and found as pip would have them found."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from quantleak.quantizers.registry import QUANTIZERS

MODULE = '''
from dataclasses import dataclass
import numpy as np
from quantleak.attacks import NamedAttack
from quantleak.data import from_arrays
from quantleak.quantizers import Quantizer


@dataclass(frozen=True, kw_only=True)
class Half(Quantizer):
    """Weights rounded to halves."""

    def apply(self, weight):
        return (weight * 2).round() / 2 + 0.0

    def levels(self, weight, batch_dims=0):
        return weight.new_tensor([j / 2 for j in range(-40, 41)]).expand(*weight.shape[:batch_dims], 81)

    def effective_bits(self, shape):
        return 6.4


def score(target, shadows, member, *, use):
    return target - np.where(use, shadows, 0).sum(axis=0) / use.sum(axis=0)


gap = NamedAttack(name="gap", description="signal above the mean shadow", score=score, convention={"mean": "plain"})
misnamed = NamedAttack(name="other", description="", score=score)


def hospital(text):
    """Patients of a hospital; the text is its town."""
    rng = np.random.default_rng(len(text))
    x = rng.normal(size=(120, 3))
    return from_arrays(x, (x.sum(axis=1) > 0).astype(int), name=f"hospital {text}")


def nothing(text):
    return None
'''


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Install a package: a module and a `dist-info` folder with entry points by group."""
    monkeypatch.setattr(QUANTIZERS, "kinds", dict(QUANTIZERS.kinds))

    def put(points: Mapping[str, Mapping[str, str]], *, name: str = "made_up", module: str = MODULE) -> None:
        site = tmp_path / name
        info = site / f"{name}-1.2.dist-info"
        info.mkdir(parents=True)
        (site / f"{name}.py").write_text(module)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
        lines = [
            [f"[{group}]", *(f"{key} = {value}" for key, value in named.items())] for group, named in points.items()
        ]
        (info / "entry_points.txt").write_text("\n".join(line for group in lines for line in group))
        monkeypatch.syspath_prepend(site)
        importlib.invalidate_caches()
        monkeypatch.delitem(sys.modules, name, raising=False)

    return put
