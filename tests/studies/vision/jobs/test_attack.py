"""What the attack jobs leave, against scores computed one attack at a time and rates counted by hand."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from tests.studies.vision.tiny import DATA, Tiny

from quantleak.attacks import ATTACKS, LeaveOneOut, LiRA, Signals, evaluate, leave_one_out, lira
from quantleak.auditing.attacks import AttackInputs
from quantleak.data import membership
from quantleak.studies.vision.jobs import Row, RowOutput
from quantleak.studies.vision.jobs.attack import RowJob, Targets

MODELS, POOL, POPULATION = 16, 600, 150
MEMBER = membership(MODELS, np.arange(POOL), 0)
FLOAT, QUANTIZED, LAYER = "identity", "rtn:2", "rtn:ternary?keep=fc"
CONVENTIONS = {
    "lira-online": LiRA(),
    "lira-offline": LiRA(mode="offline"),
    "lira-offline-two-sided": LiRA(mode="offline", tail="two"),
    "lira-global": LiRA(variance="global", floor=1e-30),
    "lira-published": LiRA(variance="example", floor=1e-30),
}
OPEN = {
    "any": {"adaptive", "transfer", "recalibrated", "none"},
    "adaptive": {"adaptive", "none"},
    "transfer": {"transfer", "recalibrated", "none"},
}


def drawn(seed: int, *, difficulty: float = 3.0, shift: float = 1.5) -> Signals:
    """Of 16 models: members' signals are larger, examples of their own difficulty."""
    random = np.random.default_rng(seed)
    pool = random.normal(0, difficulty, POOL) + random.normal(size=(MODELS, POOL)) + shift * MEMBER
    population = random.normal(0, difficulty, POPULATION) + random.normal(size=(MODELS, POPULATION))
    return Signals(pool=pool, population=population)


def mapped(signals: Signals) -> Signals:
    """By the map of the toy, with a little noise."""
    random = np.random.default_rng(9)
    return signals.map(lambda values: 0.5 * values + 1 + 0.1 * random.normal(size=values.shape))


def run(
    signals: Signals, name: str = QUANTIZED, calibrated: np.ndarray | None = None, member: np.ndarray = MEMBER
) -> RowOutput:
    """All attacks on one row of a world whose quantized signals are those of the original, mapped."""
    quantized = mapped(signals)
    both = {FLOAT: signals, QUANTIZED: quantized, LAYER: quantized}
    inputs = AttackInputs(
        targets=both, shadows=both, pairing=LeaveOneOut(member=member, seed=0), baseline=FLOAT,
        groups=np.arange(member.shape[1]), task="multiclass", level=0.95,
        calibrated={} if calibrated is None else {QUANTIZED: calibrated},
    )  # fmt: skip
    rows = {
        FLOAT: Row(spec=FLOAT, part="identity", method="identity", width="32"),
        QUANTIZED: Row(spec=QUANTIZED, part="width", method="rtn", width="2"),
        LAYER: Row(spec=LAYER, part="layer", method="rtn", width="ternary", option="fc"),
    }
    return RowJob("made", name)({"made": Targets(rows=rows, inputs=inputs, others={"smaller network": signals})})


SIGNALS = drawn(0)
CALIBRATED = MEMBER & (np.random.default_rng(5).random(MEMBER.shape) < 0.3)


@pytest.fixture(scope="module")
def left() -> RowOutput:
    return run(SIGNALS, calibrated=CALIBRATED)


def scores_of(attack: str, mode: str) -> np.ndarray:
    """Of one LiRA, without the study: recalibrated by a straight line through the population."""
    targets, shadows = mapped(SIGNALS), mapped(SIGNALS) if mode == "adaptive" else SIGNALS
    pool = targets.pool
    if mode == "recalibrated":
        rows = []
        for model in range(MODELS):
            others = np.delete(SIGNALS.population, model, 0).mean(0)
            slope, offset = np.polyfit(others, targets.population[model], 1)
            rows.append((pool[model] - offset) / slope)
        pool = np.stack(rows)
    return leave_one_out(partial(lira, convention=CONVENTIONS[attack]), pool, shadows.pool, MEMBER, seed=0)


def by_hand(scores: np.ndarray, fpr: float) -> np.ndarray:
    """Who is called a member at the lowest threshold with at most this share of false alarms."""
    flags = []
    for row, inside in zip(scores, MEMBER, strict=True):
        allowed = int(np.floor(fpr * (~inside).sum()))
        highest_refused = np.sort(row[~inside])[::-1][allowed]
        flags.append(row > highest_refused)
    return np.array(flags)


def figures(left: RowOutput, attack: str, mode: str) -> dict[str, float | None]:
    return {one.metric: one.estimate.value for one in left.figures if (one.attack, one.mode) == (attack, mode)}


@pytest.mark.parametrize("mode", ["adaptive", "transfer", "recalibrated"])
@pytest.mark.parametrize("attack", CONVENTIONS)
def test_figures_are_those_of_the_attack_by_itself(left: RowOutput, attack: str, mode: str) -> None:
    scores = scores_of(attack, mode)
    expected = evaluate(scores, MEMBER)
    found = figures(left, attack, mode)
    aucs = [roc_auc_score(inside, row) for row, inside in zip(scores, MEMBER, strict=True)]
    key = f"{attack}/{mode}"
    np.testing.assert_allclose(left.columns[f"{key}/auc"], aucs, atol=1e-6)
    assert found["auc"] == pytest.approx(np.mean(aucs), abs=1e-6)
    assert found["tpr@0.01"] == pytest.approx(expected.tpr[0.01].value, abs=1e-6)
    assert found["tpr@0.001"] is None
    (whole,) = (one for one in left.figures if (one.attack, one.mode, one.metric) == (attack, mode, "tpr@0.01"))
    assert whole.spread == pytest.approx(left.columns[f"{key}/tpr@0.01"].std(ddof=1))
    limits = (whole.estimate.low, whole.estimate.high)
    assert limits == pytest.approx((expected.tpr[0.01].low, expected.tpr[0.01].high), abs=1e-6)


def test_every_attack_runs_in_every_mode_and_loss_in_one(left: RowOutput) -> None:
    names = {kind.name for kind in ATTACKS} | {"lira-global", "lira-published"}
    expected = {(name, mode) for name in names - {"loss"} for mode in OPEN["any"] - {"none"}}
    expected |= {("loss", "none"), *(("strongest", mode) for mode in OPEN)}
    assert {(one.attack, one.mode) for one in left.figures} == expected


@pytest.mark.parametrize("mode", ["adaptive", "transfer", "recalibrated"])
def test_examples_are_the_shares_of_member_targets_that_give_them_away(left: RowOutput, mode: str) -> None:
    flags = by_hand(scores_of("lira-online", mode), 0.01)
    assert left.examples[mode].shape == (2, POOL)
    for half in (0, 1):
        targets = [[t for t in range(half, MODELS, 2) if MEMBER[t, n]] for n in range(POOL)]
        expected = [flags[some, n].mean() for n, some in enumerate(targets)]
        np.testing.assert_allclose(left.examples[mode][half], expected, atol=1e-12)
    assert np.nanmean(left.examples["adaptive"]) > 0.02


def test_an_example_on_which_no_target_of_a_half_was_trained_has_no_share_there() -> None:
    member = MEMBER.copy()
    member[:, 0] = np.arange(MODELS) % 2 == 1
    member[:, 1] = ~member[:, 0]
    missing = np.zeros((2, POOL), bool)
    missing[[0, 1], [0, 1]] = True
    for found in run(SIGNALS, member=member).examples.values():
        np.testing.assert_array_equal(np.isnan(found), missing)


def test_members_that_the_quantizer_read_are_counted_apart(left: RowOutput) -> None:
    flags = by_hand(scores_of("lira-online", "adaptive"), 0.01)
    found = left.calibrated["adaptive"]
    parts = {"found": CALIBRATED, "others": MEMBER & ~CALIBRATED, "alarms": ~MEMBER}
    for name, among in parts.items():
        shares = [row[some].mean() for row, some in zip(flags, among, strict=True)]
        assert float(found[name]) == pytest.approx(np.mean(shares))
    assert set(left.calibrated) == {"adaptive", "transfer", "recalibrated"}


def test_influences_of_a_figure_are_those_of_its_evaluation(left: RowOutput) -> None:
    found = evaluate(scores_of("lira-online", "transfer"), MEMBER)
    for metric, rate in (("auc", None), ("tpr@0.01", 0.01), ("tpr@0.1", 0.1)):
        kept = left.influence[f"lira-online/transfer/{metric}"]
        assert kept.dtype == np.float32
        np.testing.assert_allclose(kept, found.crossed(rate).influence, atol=1e-6)
    published = evaluate(scores_of("lira-published", "transfer"), MEMBER).crossed(0.01).influence
    np.testing.assert_allclose(left.influence["lira-published/transfer/tpr@0.01"], published, atol=1e-6)
    kept = {tuple(key.split("/")) for key in left.influence}
    assert {(attack, metric) for attack, _, metric in kept} == {
        *((attack, metric) for attack in ("lira-online", "lira-published", "strongest")
          for metric in ("auc", "tpr@0.01")),
        ("lira-online", "tpr@0.1"),
    }  # fmt: skip
    modes = {"adaptive", "transfer", "recalibrated"}
    assert {mode for attack, mode, _ in kept if attack == "lira-published"} == modes


def test_a_pool_too_small_for_the_rate_gives_nobody_away() -> None:
    few = 60
    small = Signals(pool=SIGNALS.pool[:, :few], population=SIGNALS.population)
    output = run(small, calibrated=CALIBRATED[:, :few], member=MEMBER[:, :few])
    assert figures(output, "lira-online", "adaptive")["tpr@0.01"] is None
    assert output.examples == {}
    found = output.calibrated["adaptive"]
    unknown = {name: found[name].value for name in ("found", "others", "alarms", "difference")}
    assert unknown == dict.fromkeys(unknown)
    # Among members, who was read can still be ranked.
    scores = leave_one_out(
        partial(lira, convention=LiRA()), mapped(small).pool, mapped(small).pool, MEMBER[:, :few], seed=0
    )
    rows = zip(scores, MEMBER[:, :few], CALIBRATED[:, :few], strict=True)
    aucs = [roc_auc_score(read[inside], row[inside]) for row, inside, read in rows]
    assert found["auc"].value == pytest.approx(np.mean(aucs))


def brute_strongest(left: RowOutput, open_to: set[str]) -> tuple[str, np.ndarray]:
    """Even targets choose by TPR at 1%, odd ones report."""
    columns = {
        key.removesuffix("/tpr@0.01"): values
        for key, values in left.columns.items()
        if key.endswith("/tpr@0.01") and not key.startswith("strongest") and key.split("/")[1] in open_to
    }
    best = max(columns, key=lambda key: (columns[key][::2].mean(), left.columns[f"{key}/auc"][::2].mean()))
    return best.replace("/", ", "), columns[best][1::2]


@pytest.mark.parametrize("world", ["shadows help", "loss is best"])
def test_the_strongest_is_chosen_among_what_is_open_to_it(left: RowOutput, world: str) -> None:
    # Without difficulties of their own, LOSS is the likelihood ratio itself, and shadows only add noise.
    output = left if world == "shadows help" else run(drawn(1, difficulty=0.0))
    for name, open_to in OPEN.items():
        chosen, values = brute_strongest(output, open_to)
        (one,) = (f for f in output.figures if (f.attack, f.mode, f.metric) == ("strongest", name, "tpr@0.01"))
        assert one.chosen == chosen
        assert one.chosen.split(", ")[1] in open_to
        np.testing.assert_array_equal(output.columns[f"strongest/{name}/tpr@0.01"], values)
        assert one.estimate.value == pytest.approx(values.mean())
        assert output.influence[f"strongest/{name}/tpr@0.01"].shape == (MODELS // 2, POOL)
    if world == "shadows help":
        # Mapped back to the scores of float shadows, targets are what these find most in; what is not, they miss.
        best = {name: brute_strongest(output, open_to)[0] for name, open_to in OPEN.items()}
        assert best["transfer"].endswith("recalibrated")
        assert best["any"] == best["transfer"] != best["adaptive"]
        rates = {name: figures(output, "strongest", name)["tpr@0.01"] for name in OPEN}
        away = max(values[1::2].mean() for key, values in output.columns.items() if key.endswith("/transfer/tpr@0.01")
                   and not key.startswith("strongest"))  # fmt: skip
        assert min(rates.values()) > away + 0.02
    else:
        assert figures(output, "strongest", "any")["auc"] == pytest.approx(0.856, abs=0.02)  # Phi(1.5 / sqrt 2)


def test_a_layer_is_attacked_with_online_lira_and_loss_only() -> None:
    output = run(SIGNALS, LAYER)
    assert output.calibrated == {}
    assert {(f.attack, f.mode) for f in output.figures} == {
        ("lira-online", "adaptive"), ("lira-online", "transfer"), ("loss", "none")
    }  # fmt: skip
    assert sorted(output.influence) == [f"lira-online/{m}/{x}" for m in ("adaptive", "transfer")
                                        for x in ("auc", "tpr@0.01")]  # fmt: skip
    np.testing.assert_array_equal(
        output.columns["lira-online/transfer/auc"], run_columns(scores_of("lira-online", "transfer"))
    )


def run_columns(scores: np.ndarray) -> np.ndarray:
    return evaluate(scores, MEMBER).per_target.auc


def test_a_float_control_is_attacked_with_shadows_of_its_own_kind() -> None:
    output = run(SIGNALS, "smaller network")
    assert {(f.attack, f.mode) for f in output.figures} == {("lira-online", "adaptive"), ("loss", "none")}
    scores = leave_one_out(partial(lira, convention=LiRA()), SIGNALS.pool, SIGNALS.pool, MEMBER, seed=0)
    np.testing.assert_array_equal(output.columns["lira-online/adaptive/auc"], run_columns(scores))


def test_the_original_has_nothing_to_transfer() -> None:
    output = run(SIGNALS, FLOAT)
    assert {f.mode for f in output.figures if f.attack != "strongest"} == {"adaptive", "none"}
    assert {f.mode for f in output.figures if f.attack == "strongest"} == {"any", "adaptive"}


def test_signals_that_cannot_be_recalibrated_leave_that_mode_out() -> None:
    flat = replace(SIGNALS, population=np.ones((MODELS, POPULATION)))
    output = run(flat)
    assert "recalibrated" not in {f.mode for f in output.figures}
    assert figures(output, "lira-online", "adaptive")["auc"] is not None


def test_members_read_by_a_quantizer_of_a_real_fleet(tiny: Tiny) -> None:
    """Of the study itself: who was read, and who was called a member, agree with the plan."""
    spec = next(row.spec for row in tiny.ran.plans[DATA].rows if (row.method, row.width) == ("obq", "2"))
    output, mask = tiny.ran.attacked[DATA][spec], tiny.plan.calibration.mask(spec)
    assert mask is not None
    assert (mask.sum(1) == 16).all()
    assert not (mask & ~tiny.plan.member).any()
    found = output.calibrated["adaptive"]
    weights = mask.sum(1) / tiny.plan.member.sum(1)
    # Both shares together are that of all members, which `examples` gives example by example.
    trained = np.stack([tiny.plan.member[half::2].sum(0) for half in (0, 1)])
    everyone = np.nansum(output.examples["adaptive"] * trained) / trained.sum()
    together = np.average(weights) * float(found["found"]) + (1 - np.average(weights)) * float(found["others"])
    assert together == pytest.approx(everyone, abs=2e-3)
