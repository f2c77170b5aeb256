"""Figure 7: how fast the rankings settle, r_Q beside the attacks and its competitors."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from quantleak.studies.common import Figure
from quantleak.studies.common.figure import rows
from quantleak.studies.common.ranking import Floats, mean, spearman, stability
from quantleak.studies.common.style import BLUE, FONT, INK, finished, grid, layered
from quantleak.studies.synthetic.figures.by_distribution import of
from quantleak.studies.synthetic.findings import COUNT, PAPER, PROPOSED, Findings
from quantleak.studies.synthetic.jobs import Synthetic, Tables
from quantleak.studies.synthetic.jobs.fresh import QUANTIZED
from quantleak.studies.synthetic.jobs.settings import Distribution

STABLE = 0.95
SUBSETS = 100
ATTACK = "strongest attack"
DISCRIMINATOR = "discriminator"
TITLES = {
    PAPER: "mean r_Q, the paper's",
    PROPOSED: "fidelity, ours",
    COUNT: "number of elements",
    ATTACK: "strongest attack, fresh data",
    DISCRIMINATOR: "discriminator, the paper's baseline",
}
WIDTH, HEIGHT = 228.0, 175.0


def models_needed(study: Synthetic, tables: Tables, findings: Findings) -> Figure:
    """The figure."""
    parts = [_scores(findings), *(_attack(d, tables) for d in study.distributions)]
    if not tables.baseline.empty:
        parts += [_discriminator(d, tables) for d in study.distributions]
    curves = pd.concat(parts, ignore_index=True)
    grouped = curves.groupby(["ranking", "models"], sort=False)["spearman"]
    frame = grouped.agg(spearman="mean", low="min", high="max", distributions="count").reset_index()
    return Figure(
        name="fig7",
        title="Figure 7. How fast does each ranking settle?",
        caption=(
            "Spearman's correlation between the ranking of some models and the same method's ranking of all "
            f"{study.models}, by the number of models: the mean over distributions, and between the lowest and the "
            f"highest of them. Subsets are drawn at random, {SUBSETS} of each size. The attack is the one that is "
            "strongest on all models on fresh data, without counting the shadow models that it needs. A discriminator "
            "is trained anew at each of a few sizes: points with bars. A ranking that settles fast need not be right: "
            "see the agreement with the attack. The paper shows r_Q settled after 15 to 20 models, its discriminator "
            "after about 150."
        ),
        frame=frame,
        chart=finished(_panels(frame)),
        shown=_few(frame),
    )


def _few(frame: pd.DataFrame) -> pd.DataFrame:
    """For the page: every third size, and the last; all of the discriminators."""
    sizes = sorted(int(size) for size in frame["models"].unique())
    kept = frame["models"].isin([*sizes[::3], sizes[-1]]) | (frame["ranking"] == DISCRIMINATOR)
    return frame[kept]


def _scores(findings: Findings) -> pd.DataFrame:
    rows_of = findings.stability[findings.stability["score"].isin([PAPER, PROPOSED, COUNT])]
    return rows_of.rename(columns={"score": "ranking"})[["ranking", "models", "spearman"]]


def _attack(d: Distribution, tables: Tables) -> pd.DataFrame:
    """Minus the accuracy of the attack that is strongest on all models, model by model."""
    frame = of(tables.attacks[tables.attacks["fleet"] == "fresh"], d)
    curve = stability(-np.stack([_strongest(frame, spec) for spec in QUANTIZED], axis=1), mean, SUBSETS)
    return pd.DataFrame({"ranking": ATTACK, "models": curve.sizes, "spearman": curve.correlation.mean(1)})


def _strongest(frame: pd.DataFrame, spec: str) -> Floats:
    wide = frame[frame["quantizer"] == spec].pivot(index="model", columns="attack", values="accuracy")
    return np.asarray(wide[wide.mean().idxmax()].to_numpy())


def _discriminator(d: Distribution, tables: Tables) -> pd.DataFrame:
    """Rankings of discriminators trained on fewer models, against that of those trained on most."""
    means = of(tables.baseline, d).groupby(["models", "quantizer"])["accuracy"].mean().unstack()[list(QUANTIZED)]
    sizes, values = means.index.to_numpy(), means.to_numpy()
    return pd.DataFrame(
        {"ranking": DISCRIMINATOR, "models": sizes, "spearman": spearman(values, values[sizes.argmax()])}
    )


def settled(curve: pd.DataFrame) -> int | None:
    """Fewest models from which the mean correlation stays at 0.95; None if only at the last."""
    below = np.flatnonzero(curve["spearman"].to_numpy() < STABLE)
    first = 0 if not len(below) else int(below[-1]) + 1
    return int(curve["models"].iloc[first]) if first < len(curve) - 1 else None


def _panels(frame: pd.DataFrame) -> alt.ConcatChart:
    lowest, most = min(0.0, float(frame["low"].min())), int(frame["models"].max())
    names = [name for name in TITLES if name in set(frame["ranking"])]
    made = [_panel(frame[frame["ranking"] == name], name, place, (lowest, most)) for place, name in enumerate(names)]
    return grid(made, 3)


def _panel(curve: pd.DataFrame, name: str, place: int, ends: tuple[float, int]) -> alt.LayerChart:
    ticks = [size for size in (1, 3, 10, 30, 100, 300, 1000) if size <= ends[1]]
    x_axis = alt.Axis(title="models (log)", values=ticks, format="d")
    x = alt.X("models:Q", scale=alt.Scale(type="log", domain=[1, ends[1]], nice=False), axis=x_axis)
    scale = alt.Scale(domain=[ends[0], 1.0], nice=False)
    title = "Spearman with its ranking by all" if place % 3 == 0 else None
    y = alt.Y("spearman:Q", scale=scale, axis=alt.Axis(title=title, tickCount=6, format=".1f"))
    low = alt.Y("low:Q", scale=scale)
    base = alt.Chart(rows(curve))
    level = alt.Chart(pd.DataFrame([{"y": STABLE}])).mark_rule(strokeDash=[3, 3], color=INK, opacity=0.7)
    marks = [level.encode(y=alt.Y("y:Q", scale=scale))]
    if name == DISCRIMINATOR:
        marks += [
            base.mark_rule(color=BLUE, opacity=0.6, strokeWidth=1.3).encode(x=x, y=low, y2="high:Q"),
            base.mark_point(color=BLUE, filled=True, size=45, opacity=1).encode(x=x, y=y),
        ]
    else:
        marks += [
            base.mark_area(color=BLUE, opacity=0.2).encode(x=x, y=low, y2="high:Q"),
            base.mark_line(color=BLUE, strokeWidth=2).encode(x=x, y=y),
        ]
    found = settled(curve)
    subtitle = (
        f"mean at {STABLE:g} from {found} model{'s' if found > 1 else ''} on"
        if found
        else f"mean below {STABLE:g} until all models"
    )
    return layered(marks, WIDTH, HEIGHT, alt.Title(TITLES[name], subtitle=subtitle, fontSize=FONT))
