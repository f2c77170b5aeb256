"""All attacks on signals whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from quantleak.attacks import ATTACKS, LeaveOneOut, Signals
from quantleak.auditing.attacks import AttackInputs, AttackJob
from quantleak.data import membership

MODELS, POOL, POPULATION = 16, 300, 200


def fleet(task: str, *, shift: float, seed: int = 0) -> tuple[Signals, np.ndarray]:
    """Models with examples of their own difficulty; members' signals are shifted (for residuals: shrunk)."""
    random = np.random.default_rng(seed)
    member = membership(MODELS, np.arange(POOL), seed)
    if task == "regression":
        pool = random.normal(size=POOL) + random.normal(size=(MODELS, POOL)) * 0.2
        population = random.normal(size=POPULATION) + random.normal(size=(MODELS, POPULATION)) * 0.2
        return Signals(pool=pool * np.where(member, np.exp(-shift), 1), population=population), member
    pool = random.normal(0, 3, POOL) + random.normal(size=(MODELS, POOL)) + shift * member
    population = random.normal(0, 3, POPULATION) + random.normal(size=(MODELS, POPULATION))
    return Signals(pool=pool, population=population), member


def inputs_of(signals: dict[str, Signals], member: np.ndarray, task: str) -> AttackInputs:
    pairing, groups = LeaveOneOut(member=member, seed=0), np.arange(POOL)
    return AttackInputs(
        targets=signals, shadows=signals, pairing=pairing, baseline="identity", groups=groups, task=task, level=0.95
    )


def outcomes(task: str, shift: float, quantized=lambda signals: signals, identity: bool = False):
    original, member = fleet(task, shift=shift)
    rounded = Signals(pool=quantized(original.pool), population=quantized(original.population))
    inputs = inputs_of({"identity": original, "rounded": rounded}, member, task)
    output = AttackJob("identity" if identity else "rounded")(inputs)
    return {(attack.name, attack.mode): attack for attack in output.attacks}, output


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_without_a_signal_no_attack_finds_one(task: str) -> None:
    found, output = outcomes(task, shift=0.0)
    for key, attack in found.items():
        assert attack.auc.value == pytest.approx(0.5, abs=0.03), key
        assert attack.mis_bound.high > 0.95, key
    assert output.worst.low < output.worst.fpr + 0.02


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_with_a_signal_every_mode_finds_it(task: str) -> None:
    found, output = outcomes(task, shift=1.5)
    assert len(found) == 1 + 3 * (len(ATTACKS) - 1)
    for key, attack in found.items():
        if "two-sided" not in key[0]:
            assert attack.auc.low > 0.55, key
    assert found["lira-online", "adaptive"].auc.value > found["loss", "none"].auc.value + 0.1
    assert output.worst.name in {"lira-online", "lira-offline", "bavaria-online", "bavaria-offline", "rmia-online"}
    assert output.leakage.influence.shape == (MODELS // 2, POOL)
    assert output.leakage.mean == pytest.approx(output.worst.value)
    assert output.columns["lira-online/adaptive/auc"].shape == (MODELS,)


def test_rescaled_targets_defeat_transfer_but_not_the_other_modes() -> None:
    # Section 6.6 of the design: a quantizer that only moves and rescales signals hides nothing from who adapts.
    found, _ = outcomes("binary", shift=1.0, quantized=lambda s: 0.5 * s + 1)
    auc = {mode: found["lira-online", mode].auc.value for mode in ("transfer", "adaptive", "recalibrated")}
    plain = outcomes("binary", shift=1.0)[0]["lira-online", "adaptive"].auc.value
    assert auc["adaptive"] == pytest.approx(plain, abs=1e-6)
    assert auc["recalibrated"] == pytest.approx(plain, abs=0.03)
    assert auc["transfer"] < plain - 0.1


def test_the_original_is_attacked_in_one_mode() -> None:
    found, _ = outcomes("binary", shift=1.0, identity=True)
    assert {mode for _, mode in found} == {"none", "adaptive"}


def test_signals_that_say_nothing_leave_the_other_attacks_running() -> None:
    found, _ = outcomes("binary", shift=1.0, quantized=np.ones_like)
    refused = [key for key, attack in found.items() if attack.reason]
    assert refused
    assert {mode for _, mode in refused} == {"recalibrated"}
    assert found["loss", "none"].auc.value == 0.5
    assert found["loss", "none"].tpr["0.1"].value == pytest.approx(0.1)


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_loss_finds_what_float64_would_tie(task: str) -> None:
    # ln p is 0 from phi = 745 on, and squares of residuals below 1e-162 are 0; the order is plain in the signals.
    member = membership(MODELS, np.arange(POOL), 0)
    pool = np.where(member, 1000.0, 900.0) if task == "binary" else np.where(member, 1e-200, 1e-190)
    signals = Signals(pool=pool, population=np.random.default_rng(0).normal(size=(MODELS, POPULATION)))
    alone = inputs_of({"identity": signals}, member, task)
    found = {attack.name: attack.auc for attack in AttackJob("identity")(alone).attacks}
    assert found["loss"].value == 1.0
