"""What was run, in one line; what the paper leaves open; and where a study departs from the paper's size."""

from __future__ import annotations

from dataclasses import fields

from quantleak.report.digits import plain
from quantleak.report.grid import Column, Row, Table, name
from quantleak.studies.synthetic.jobs import Synthetic

GIVEN = ("modes", "sigmas", "models", "epochs", "examples", "dimension", "learning_rate")
"""Settings that the paper states."""

OPEN = (
    (
        "centres of the mixture",
        "normal with mean 0 and this standard deviation in each coordinate, one draw a distribution",
        "mode_scale",
    ),
    ("draws of the centres", "behind the accuracies; the first also carries everything else", "draws"),
    ("labels of the modes", "0 and 1 in turn", None),
    ("batch", "examples of a step of Adam", "batch"),
    ("first weights", "PyTorch's default for a linear layer; no bias", None),
    ("validation examples N", "behind r_Q, fresh, the same for all models of a distribution", "validation"),
    ("test examples", "behind the accuracies, fresh likewise", "test"),
)
"""What the paper leaves open: name, what it means here, the setting."""


def in_one_line(study: Synthetic) -> str:
    """The study in one sentence."""
    sigmas, modes = (", ".join(f"{value:g}" for value in values) for values in (study.sigmas, study.modes))
    balanced = (
        f"; a balanced fleet of {study.balanced_models} models each" if study.balanced else "; no balanced fleets"
    )
    discriminators = "the paper's discriminators" if study.discriminators else "no discriminators"
    return (
        f"{len(study.distributions)} mixtures of Gaussians (σ = {sigmas}; {modes} modes), {study.models} linear models "
        f"of each, every one on {study.examples} fresh examples for {study.epochs:,} epochs, eight quantizers at every "
        f"epoch{balanced}; {discriminators}; seed {study.seed}."
    )


def departures(study: Synthetic) -> list[str]:
    """Settings of the paper that this study changes, as `models 40 (300 in the paper)`."""
    defaults = {field.name: field.default for field in fields(Synthetic)}
    return [
        f"{key.replace('_', ' ')} {plain(list(mine) if isinstance(mine, tuple) else mine)} "
        f"({plain(list(theirs) if isinstance(theirs, tuple) else theirs)} in the paper)"
        for key in GIVEN
        for mine, theirs in [(getattr(study, key), defaults[key])]
        if mine != theirs
    ]


def open_parameters(study: Synthetic) -> Table:
    """The settings that the paper does not state."""
    columns = (
        Column(title="Left open by the paper", numeric=False),
        Column(title="Here", numeric=False),
        Column(title="What it is", numeric=False, wraps=True),
    )
    rows = [
        Row(cells=(name(label), name(f"{getattr(study, key):,}" if key else "fixed"), name(about)))
        for label, about, key in OPEN
    ]
    return Table(caption="What the paper leaves open", columns=columns, rows=tuple(rows))
