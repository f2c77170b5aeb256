"""Every claim of the study on made-up figures: a world in which it holds, one in which it does not, one without it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.studies.vision.made_up import ALONE, BASE, MEMBERS, PUBLISHED, ROWS, TARGETS, Key, figure, findings, measured
from tests.studies.vision.tiny import Tiny

from quantleak.attacks import Crossed
from quantleak.studies.common import NOT_JUDGED, Verdict
from quantleak.studies.vision.claims import CLAIMS
from quantleak.studies.vision.findings import NOISE_CONTROL, STOPPED_CONTROL, Findings
from quantleak.studies.vision.jobs import SMALLER, Row
from quantleak.studies.vision.jobs.toy import BOTH, INVERTED, MAPPED, MATCHED

JUDGES = {claim.id: claim.judge for claim in CLAIMS}
MODES = ("transfer", "adaptive")
LOW = [(method, width) for method in PUBLISHED for width in ("2", "ternary")]
Value = float | Crossed
Change = Mapping[str, Value]
"""By spec, or by `spec mode`, what is not as in the usual world."""


def world(
    leak: Change | None = None, accuracy: Change | None = None, *, metric: str = "tpr@0.01", usual: float = 0.2,
    rows: tuple[Row, ...] = ROWS,
) -> Findings:  # fmt: skip
    """One data set on which everything leaks alike and is as accurate, but for the changes."""
    return findings(measured={"made up": _data(leak, accuracy, metric, usual, rows)})


def _data(leak: Change | None, accuracy: Change | None, metric: str, usual: float, rows: tuple[Row, ...]) -> Any:
    names = [*(row.spec for row in rows), SMALLER]
    changed, leakage = leak or {}, dict[Key, Value]()
    for name in names:
        for mode in MODES[1:] if name in ("identity", SMALLER) else MODES:
            value = changed.get(f"{name} {mode}", changed.get(name, usual))
            leakage[name, "lira-online", mode, metric] = value
    return measured(leakage, dict.fromkeys(names, 0.8) | dict(accuracy or {}), rows)


def each(specs: list[tuple[str, str]], value: Value) -> dict[str, Value]:
    return {f"{method}:{width}": value for method, width in specs}


FLOAT_HEADS = {f"{method}:ternary?head=float": 0.3 for method in PUBLISHED}


def gaps(share: float, low: float, high: float, width: str = "2", **changes: str) -> pd.DataFrame:
    """The three methods together, beside rows that have nothing to say here."""
    mine: dict[str, Any] = {"attack": "lira-online", "metric": "tpr@0.01", "method": "all three", "width": width}
    mine |= {"share": share, "share_low": low, "share_high": high}
    against = dict.fromkeys(("share", "share_low", "share_high"), 5.0 if share < 0.5 else -5.0)
    changed = [("attack", "strongest"), ("attack", "lira-published"), ("metric", "auc"),
               ("width", "2" if width == "ternary" else "ternary"),
               *(("method", method) for method in (*PUBLISHED, "rtn"))]  # fmt: skip
    rows = [{**mine, name: value, **against} for name, value in changed]
    rows.insert(3, {**mine, **changes})
    return pd.DataFrame(rows).assign(data="made up", part="width")


def differences(highs: list[float], control: str) -> pd.DataFrame:
    """Of all methods at both low widths from a control, by the upper limits; NaN: not comparable."""
    rows = [
        {"data": "made up", "control": control, "part": "width", "method": method, "width": width,
         "difference": high - 0.02, "difference_high": high}
        for (method, width), high in zip(LOW, highs, strict=True)
    ]  # fmt: skip
    # What is not of a published method or low width counts for nothing.
    other = [{**rows[0], "method": "rtn", "difference": 1.0, "difference_high": 1.0}] * 9
    other += [{**rows[0], "width": "4", "difference": 1.0, "difference_high": 1.0}] * 9
    return pd.DataFrame([*rows, *other])


def agreement(**values: float) -> pd.DataFrame:
    return pd.DataFrame(
        [{"data": "made up", "score": name, "spearman": value, "low": value - 0.1, "high": value + 0.05}
         for name, value in values.items()]
    )  # fmt: skip


def toy(**aucs: float) -> pd.DataFrame:
    names = {"matched": MATCHED, "mapped": MAPPED, "both": BOTH, "inverted": INVERTED}
    rows = [{"data": "toy", "scores": names[name], "attack": "online", "auc": auc} for name, auc in aucs.items()]
    return pd.DataFrame([*rows, *({**row, "attack": "offline, one-sided", "auc": 0.5} for row in rows)])


Case = tuple[str, Callable[[], Findings], bool, float]
"""A claim, a world, whether it holds there and the figure that is shown."""


def of_mode(mode: str) -> list[Case]:
    """The claims about one attacker; what the other attacker finds is the opposite of what would help."""
    other = MODES[1 - MODES.index(mode)]

    def mine(values: Change, against: Value | None = None) -> dict[str, Value]:
        found = {f"{spec} {mode}": value for spec, value in values.items()}
        return found if against is None else found | {f"{spec} {other}": against for spec in values}

    tenth = {"metric": "tpr@0.001"}
    brecq = {"brecq:2": 0.1, "brecq:ternary": 0.15}
    spreads = {**each(LOW, figure(0.2, 0.02)), "brecq:2": figure(0.2, 0.03), "brecq:ternary": figure(0.2, 0.05)}
    unsure = figure(0.1, 0.2)
    return [
        (f"four-bits-keep-leakage-{mode}", lambda: world(mine({"obq:4": 0.181}, 0.0)), True, 0.905),
        (f"four-bits-keep-leakage-{mode}", lambda: world(mine({"obq:4": 0.179}, 0.2)), False, 0.895),
        (f"four-bits-keep-leakage-{mode}", lambda: world(mine({"obq:2": 0.1})), True, 1.0),
        (f"low-bits-trade-{mode}", lambda: world(mine(each(LOW, 0.1), 0.9), each(LOW, 0.7)), True, 1.0),
        (f"low-bits-trade-{mode}", lambda: world(mine(each(LOW, 0.1), 0.1), each(LOW[1:], 0.7)), False, 5 / 6),
        (f"low-bits-trade-{mode}", lambda: world(mine(each(LOW[2:], 0.1), 0.1), each(LOW, 0.7)), False, 4 / 6),
        (f"low-bits-trade-{mode}", lambda: world(mine(each(LOW, 0.1) | {"obq:2": unsure}), each(LOW, 0.7)), False,
         5 / 6),
        (f"order-of-magnitude-{mode}", lambda: world(mine({"obq:2": 0.0199}, 0.2), **tenth), True, 0.2 / 0.0199),
        (f"order-of-magnitude-{mode}", lambda: world(mine({"obq:2": 0.0201}, 0.001), **tenth), False, 0.2 / 0.0201),
        (f"order-of-magnitude-{mode}", lambda: world(mine({"obq:4": 0.001}), **tenth), False, 1.0),
        (f"order-of-magnitude-useful-{mode}",
         lambda: world(mine({"obq:2": 0.01, "brecq:2": 0.1}), {"obq:2": 0.749}, **tenth), False, 2.0),
        (f"order-of-magnitude-useful-{mode}",
         lambda: world(mine({"obq:2": 0.01, "brecq:2": 0.1}), {"obq:2": 0.751}, **tenth), True, 20.0),
        (f"head-tunes-{mode}", lambda: world(mine(FLOAT_HEADS, 0.0), dict.fromkeys(FLOAT_HEADS, 0.9)), True, 0.1),
        (f"head-tunes-{mode}", lambda: world(mine(FLOAT_HEADS), {}), False, 0.1),
        (f"head-tunes-{mode}",
         lambda: world(mine(FLOAT_HEADS | {"obq:ternary?head=float": 0.2}), dict.fromkeys(FLOAT_HEADS, 0.9)),
         False, 0.0),
        (f"brecq-lowest-{mode}", lambda: world(mine(brecq, 0.3)), True, -0.05),
        (f"brecq-lowest-{mode}", lambda: world(mine(brecq | {"adaround:2": 0.08}, 0.0)), False, 0.02),
        (f"brecq-varies-most-{mode}", lambda: world(mine(spreads, 0.2)), True, 1.5),
        (f"brecq-varies-most-{mode}", lambda: world(mine(spreads | {"obq:ternary": figure(0.2, 0.1)})), False, 0.5),
    ]  # fmt: skip


CASES: list[Case] = [
    *of_mode("transfer"),
    *of_mode("adaptive"),
    ("four-bits-keep-accuracy", lambda: world({}, {"brecq:4": 0.791, "brecq:2": 0.1}), True, 0.009),
    ("four-bits-keep-accuracy", lambda: world({}, {"brecq:4": 0.789, "obq:4": 0.9}), False, 0.011),
    ("quantizing-finds-more", lambda: world({f"{m}:{w} transfer": 0.1 for m, w in LOW}), True, 0.1),
    ("quantizing-finds-more", lambda: world({f"{m}:{w} transfer": 0.1 for m, w in LOW[1:]}), False, 0.0),
    ("quantizing-finds-more",
     lambda: world({f"{m}:{w} transfer": 0.1 for m, w in LOW} | {"obq:2 transfer": figure(0.15, 0.3)}), False, 0.05),
    ("mismatch-2", lambda: findings(measured={"made up": None}, gaps=gaps(0.51, 0.3, 0.8)), True, 0.51),
    ("mismatch-2", lambda: findings(measured={"made up": None}, gaps=gaps(0.49, 0.3, 0.8)), False, 0.49),
    ("mismatch-ternary", lambda: findings(measured={"made up": None}, gaps=gaps(0.6, 0.55, 0.8, "ternary")), True, 0.6),
    ("mismatch-ternary", lambda: findings(measured={"made up": None}, gaps=gaps(0.4, 0.1, 0.8, "ternary")), False, 0.4),
    ("less-than-noise", lambda: findings(controls=differences([-0.1] * 4 + [0.1] * 2, NOISE_CONTROL)), True, 2 / 3),
    ("less-than-noise", lambda: findings(controls=differences([-0.1] * 3 + [0.1] * 3, NOISE_CONTROL)), False, 0.5),
    ("less-than-noise",
     lambda: findings(controls=differences([-0.1] * 2 + [np.nan] * 3 + [0.1], NOISE_CONTROL)), False, 1 / 3),
    ("less-than-stopped-early", lambda: findings(controls=differences([-0.1] * 6, STOPPED_CONTROL)), True, 1.0),
    ("less-than-stopped-early", lambda: findings(controls=differences([0.01] * 6, STOPPED_CONTROL)), False, 0.0),
    ("head-alone-hides",
     lambda: world({f"{ALONE.spec} transfer": 0.6, ALONE.spec: 0.9}, metric="auc", usual=0.9), True, 0.75),
    ("head-alone-hides",
     lambda: world({f"{ALONE.spec} transfer": 0.71, ALONE.spec: 0.5}, metric="auc", usual=0.9), False, 0.475),
    ("head-alone-does-not-hide",
     lambda: world({f"{ALONE.spec} adaptive": 0.87, ALONE.spec: 0.5}, metric="auc", usual=0.9), True, 0.925),
    ("head-alone-does-not-hide",
     lambda: world({f"{ALONE.spec} adaptive": 0.85, ALONE.spec: 0.9}, metric="auc", usual=0.9), False, 0.875),
    ("more-accurate-than-smaller", lambda: world({}, {SMALLER: 0.7, "obq:2": 0.1}), True, 0.1),
    ("more-accurate-than-smaller", lambda: world({}, {SMALLER: 0.7, "obq:ternary": 0.65}), False, -0.05),
    ("more-accurate-than-smaller", lambda: world({}, {SMALLER: figure(0.7, 0.5)}), False, 0.1),
    ("leak-more-than-smaller", lambda: world({SMALLER: 0.1, "obq:ternary": 0.0, "brecq:ternary": 0.3}), True, 0.1),
    ("leak-more-than-smaller", lambda: world({SMALLER: 0.1, "obq:ternary": 0.0, "brecq:ternary": 0.05}), False, -0.05),
    ("r_q-ranks", lambda: findings(agreement=agreement(r_q=0.82, fidelity=0.1)), True, 0.82),
    ("r_q-ranks", lambda: findings(agreement=agreement(r_q=0.8, fidelity=0.9)), False, 0.8),
    ("true-negatives-rank", lambda: findings(agreement=agreement(r_q=0.1, true_negatives=0.9)), True, 0.9),
    ("true-negatives-rank", lambda: findings(agreement=agreement(r_q=0.9, true_negatives=0.7)), False, 0.7),
    ("cramer-ranks-as-r_q", lambda: findings(agreement=agreement(r_q=0.5, cramer=0.5)), True, 0.0),
    ("cramer-ranks-as-r_q", lambda: findings(agreement=agreement(r_q=0.6, cramer=0.5)), False, -0.1),
    ("fidelity-ranks-as-r_q", lambda: findings(agreement=agreement(r_q=0.5, fidelity=0.9)), True, 0.4),
    ("fidelity-ranks-as-r_q", lambda: findings(agreement=agreement(r_q=0.5, fidelity=0.4)), False, -0.1),
    ("count-ranks-as-r_q", lambda: findings(agreement=agreement(r_q=-0.5, elements=0.0)), True, 0.5),
    ("count-ranks-as-r_q", lambda: findings(agreement=agreement(r_q=0.5, elements=0.0)), False, -0.5),
    ("toy-float-shadows-fail", lambda: findings(toy=toy(matched=0.75, mapped=0.61)), True, 0.61),
    ("toy-float-shadows-fail", lambda: findings(toy=toy(matched=0.55, mapped=0.63)), False, 0.63),
    ("toy-restored", lambda: findings(toy=toy(both=0.74, inverted=0.75, matched=0.76, mapped=0.5)), True, 0.74),
    ("toy-restored", lambda: findings(toy=toy(both=0.75, inverted=0.72, matched=0.76, mapped=0.5)), False, 0.72),
    ("toy-restored", lambda: findings(toy=toy(both=0.72, inverted=0.75, matched=0.76, mapped=0.5)), False, 0.72),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "make", "holds", "ours"), CASES)
def test_claims_are_judged_as_they_say(claim: str, make: Callable[[], Findings], holds: bool, ours: float) -> None:
    found = JUDGES[claim](make())
    assert found.holds is holds
    assert found.ours == pytest.approx(ours)


def test_every_claim_has_a_world_in_which_it_holds_and_one_in_which_it_does_not() -> None:
    judged = {(claim, holds) for claim, _, holds, _ in CASES}
    claims = {claim.id for claim in CLAIMS}
    assert len(claims) == len(CLAIMS)
    assert judged == {(claim, holds) for claim in claims for holds in (True, False)}


OF_FIGURES = sorted({claim for claim, make, _, _ in CASES if make().measured and not claim.startswith("mismatch")})


@pytest.mark.parametrize("claim", OF_FIGURES)
def test_a_claim_about_rows_that_a_study_does_not_have_is_not_judged(claim: str) -> None:
    """No low widths, no heads, or no rate that the examples support."""
    assert JUDGES[claim](world(rows=(BASE,))) == NOT_JUDGED
    if "accura" not in claim:
        assert JUDGES[claim](world(metric="tpr@0.1")) == NOT_JUDGED


def test_a_claim_about_a_table_that_has_no_such_row_is_not_judged() -> None:
    several = ("mismatch-2", "mismatch-ternary", "less-than-noise", "less-than-stopped-early")
    nothing = gaps(0.9, 0.8, 1.0).iloc[:0]
    empty = findings(measured={"made up": None}, gaps=nothing, controls=differences([0.1] * 6, "").iloc[:0])
    others = findings(
        measured={"made up": None},
        gaps=gaps(0.9, 0.8, 1.0, attack="strongest"),
        controls=differences([np.nan] * 6, NOISE_CONTROL),
    )
    unknown = findings(
        measured={"made up": None}, gaps=gaps(np.nan, np.nan, np.nan), controls=differences([np.nan] * 6, "")
    )
    for claim in several:
        assert JUDGES[claim](empty) == NOT_JUDGED
    for claim in ("mismatch-2", *several[2:]):
        for found in (others, unknown):
            assert JUDGES[claim](found) == NOT_JUDGED


def test_a_score_that_ranks_nothing_is_not_judged() -> None:
    constant = findings(agreement=agreement(r_q=0.9, true_negatives=np.nan, elements=np.nan, cramer=0.8, fidelity=0.9))
    for claim in ("true-negatives-rank", "count-ranks-as-r_q"):
        assert JUDGES[claim](constant) == NOT_JUDGED
    flat = findings(agreement=agreement(r_q=np.nan, cramer=0.9))
    for claim in ("r_q-ranks", "cramer-ranks-as-r_q"):
        assert JUDGES[claim](flat) == NOT_JUDGED
    # Where it ranks some data set, that one is judged.
    two = findings(agreement=pd.concat([agreement(r_q=np.nan, cramer=0.1), agreement(r_q=0.9, cramer=0.8)
                                        .assign(data="second")]))  # fmt: skip
    assert (JUDGES["r_q-ranks"](two).ours, JUDGES["r_q-ranks"](two).holds) == (0.9, True)
    assert JUDGES["cramer-ranks-as-r_q"](two).ours == pytest.approx(-0.1)


def both(first: Findings, second: Findings) -> Findings:
    """Two data sets of one study."""
    merged: dict[str, Any] = {}
    if first.measured:
        one, two = ({**found.measured}["made up"] for found in (first, second))
        merged["measured"] = {"made up": one, "second": two}
    for name in ("gaps", "controls", "agreement"):
        if hasattr(first, name):
            merged[name] = pd.concat([getattr(first, name), getattr(second, name).assign(data="second")])
    return findings(**merged)


PAIRS = {
    claim: tuple(next(make for one, make, holds, _ in CASES if (one, holds) == (claim, wanted)) for wanted in (1, 0))
    for claim in JUDGES
    if not claim.startswith("toy")
}


@pytest.mark.parametrize("claim", PAIRS)
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_claim_holds_if_it_holds_on_every_data_set(claim: str, order: tuple[int, int]) -> None:
    worlds = PAIRS[claim]
    judge = JUDGES[claim]
    assert judge(both(worlds[0](), worlds[0]())).holds is True
    mixed = judge(both(worlds[order[0]](), worlds[order[1]]()))
    assert mixed.holds is False
    if not claim.startswith("low-bits-trade"):  # a share of all data sets together
        assert mixed.ours == pytest.approx(judge(worlds[1]()).ours)


HAVE_THRESHOLDS = {
    *(f"{claim}-{mode}" for mode in MODES for claim in ("four-bits-keep-leakage", "order-of-magnitude",
                                                        "order-of-magnitude-useful", "brecq-lowest")),
    "four-bits-keep-accuracy", "mismatch-2", "mismatch-ternary", "head-alone-hides", "head-alone-does-not-hide",
    "r_q-ranks", "true-negatives-rank",
}  # fmt: skip
"""Claims whose shown figure has both an interval and a threshold of its own."""


@pytest.mark.parametrize("claim", sorted(JUDGES))
def test_a_figure_is_decided_where_its_interval_has_the_threshold_outside(claim: str) -> None:
    for found in [JUDGES[claim](make()) for one, make, _, _ in CASES if one == claim]:
        if claim not in HAVE_THRESHOLDS:
            assert found.decided is None
        elif claim.startswith("mismatch") or claim.endswith(("r_q-ranks", "negatives-rank")):
            assert found.low is not None
            assert found.high is not None
            threshold = 0.5 if claim.startswith("mismatch") else 0.8
            assert found.decided is (found.low > threshold or found.high < threshold)
        else:
            assert found.decided is True  # figures known to the last digit


UNDECIDED: list[tuple[str, Callable[[], Findings], bool]] = [
    ("four-bits-keep-accuracy", lambda: world({}, {"brecq:4": figure(0.795, 0.02)}), True),
    ("four-bits-keep-accuracy", lambda: world({}, {"brecq:4": figure(0.785, 0.02)}), False),
    *((f"four-bits-keep-leakage-{mode}", lambda: world({"obq:4": figure(0.185, 0.05)}), True) for mode in MODES),
    *((f"four-bits-keep-leakage-{mode}", lambda: world({"obq:4": figure(0.175, 0.05)}), False) for mode in MODES),
    *((f"{claim}-{mode}", lambda: world({"obq:2": figure(0.019, 0.01)}, metric="tpr@0.001"), True)
      for mode in MODES for claim in ("order-of-magnitude", "order-of-magnitude-useful")),
    *((f"{claim}-{mode}", lambda: world({"obq:2": figure(0.021, 0.01)}, metric="tpr@0.001"), False)
      for mode in MODES for claim in ("order-of-magnitude", "order-of-magnitude-useful")),
    *((f"brecq-lowest-{mode}", lambda: world({"brecq:2": figure(0.19, 0.05), "brecq:ternary": 0.1}), True)
      for mode in MODES),
    *((f"brecq-lowest-{mode}", lambda: world({"brecq:2": figure(0.21, 0.05), "brecq:ternary": 0.1}), False)
      for mode in MODES),
    ("mismatch-2", lambda: findings(measured={"made up": None}, gaps=gaps(0.6, 0.5, 0.8)), True),
    ("mismatch-2", lambda: findings(measured={"made up": None}, gaps=gaps(0.3, 0.1, 0.5)), False),
    ("head-alone-hides",
     lambda: world({f"{ALONE.spec} transfer": figure(0.69, 0.05)}, metric="auc", usual=0.9), True),
    ("head-alone-does-not-hide",
     lambda: world({f"{ALONE.spec} adaptive": figure(0.85, 0.05)}, metric="auc", usual=0.9), False),
    ("r_q-ranks", lambda: findings(agreement=agreement(r_q=0.82)), True),
    ("true-negatives-rank", lambda: findings(agreement=agreement(true_negatives=0.77)), False),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "make", "holds"), UNDECIDED)
def test_a_figure_whose_interval_holds_the_threshold_is_not_decided(
    claim: str, make: Callable[[], Findings], holds: bool
) -> None:
    found = JUDGES[claim](make())
    assert (found.holds, found.decided) == (holds, False)


def test_the_share_of_mismatch_comes_with_its_interval() -> None:
    found = JUDGES["mismatch-2"](findings(measured={"made up": None}, gaps=gaps(0.6, 0.45, 0.8)))
    assert (found.ours, found.low, found.high) == pytest.approx((0.6, 0.45, 0.8))


def test_intervals_are_those_of_paired_differences() -> None:
    """What targets share cancels; what they do not is a t interval."""
    shared = {f"{m}:{w} transfer": figure(0.1, 0.3) for m, w in LOW}
    shared |= {f"{m}:{w} adaptive": figure(0.2, 0.3) for m, w in LOW}
    found = JUDGES["quantizing-finds-more"](world(shared))
    assert (found.low, found.high, found.holds) == (pytest.approx(0.1), pytest.approx(0.1), True)
    apart = JUDGES["quantizing-finds-more"](world(shared | {"obq:2 transfer": figure(0.15, 0.2)}))
    arm = 2.364624 * 0.1 * np.sqrt(8 / 7) / np.sqrt(8)
    assert (apart.low, apart.high) == pytest.approx((0.05 - arm, 0.05 + arm))


def test_the_interval_of_a_ratio_is_that_of_the_ratio_of_drawn_targets() -> None:
    """With the original known, the share is the quantized figure in other units."""
    random = np.random.default_rng(0)
    values = 0.02 + 0.01 * random.random(8)
    quantized = Crossed(values=values, influence=np.zeros((8, 40)))
    found = JUDGES["order-of-magnitude-adaptive"](world({"obq:2": quantized}, metric="tpr@0.001"))
    means = values[random.integers(8, size=(20_000, 8))].mean(1)
    assert found.ours == pytest.approx(0.2 / values.mean())
    # 200 draws by the study, 20,000 here.
    assert (found.low, found.high) == pytest.approx(tuple(0.2 / np.quantile(means, [0.975, 0.025])), rel=0.05)


def test_every_claim_can_be_written_as_json(tiny: Tiny) -> None:
    judged = [claim.judged(tiny.found) for claim in CLAIMS]
    again = json.loads(json.dumps(judged, allow_nan=False))
    assert [one["id"] for one in again] == [claim.id for claim in CLAIMS]
    found = {one["id"]: one["ours"] for one in again}
    spearman = tiny.found.agreement.set_index("score")["spearman"]
    for claim, score in (("r_q-ranks", "r_q"), ("true-negatives-rank", "true_negatives")):
        assert found[claim] == pytest.approx(spearman[score])
    # No 4 bits among the widths, and no rate of 0.1% of so few examples.
    unjudged = {one["id"] for one in again if one["holds"] is None}
    assert {"four-bits-keep-accuracy", "order-of-magnitude-transfer"} <= unjudged
    assert not {"quantizing-finds-more", "toy-restored", "less-than-noise"} & unjudged


def test_verdicts_have_the_limits_in_order(tiny: Tiny) -> None:
    for claim in CLAIMS:
        found: Verdict = claim.judge(tiny.found)
        if found.low is not None and found.high is not None:
            assert found.low <= found.high, claim.id


@pytest.mark.parametrize("quantized", [0.0, -0.001])
def test_nobody_found_counts_as_one_member_of_all_targets(quantized: float) -> None:
    found = JUDGES["order-of-magnitude-adaptive"](world({"obq:2": quantized}, metric="tpr@0.001"))
    assert found.ours == pytest.approx(0.2 * TARGETS * MEMBERS)
    assert found.holds


def test_a_head_is_not_judged_where_the_original_may_not_leak() -> None:
    claims = ("head-alone-hides", "head-alone-does-not-hide")
    guessing = world({f"{ALONE.spec} transfer": 0.4, ALONE.spec: 0.4}, metric="auc", usual=0.48)
    assert [JUDGES[claim](guessing) for claim in claims] == [NOT_JUDGED] * 2
