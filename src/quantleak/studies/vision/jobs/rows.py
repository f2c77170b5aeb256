"""Every quantizer of the study, and why it is there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from quantleak.ptq import procedure
from quantleak.quantizers import BASELINE
from quantleak.studies.vision.jobs.settings import METHODS, TERNARY, Vision

WIDTH, HEAD, HEAD_ALONE, LAYER, NOISE, FOLLOWED = "width", "head", "head alone", "layer", "noise", "followed"
NEAREST = "rtn"
NOISE_OF = "obq"
"""Whose error at the smallest width the noise is as large as; of several sizes, it meets the utility of every row."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One way to quantize the networks.

    Attributes:
        spec: Of what quantizes.
        part: Of the study: `identity` (the baseline), `width`, `head`, `head alone`, `layer`, `noise` or `followed`.
        method: Such as `obq`.
        width: Bits of the body, or `ternary`.
        option: Precision of the head, or the layer that stays.
    """

    spec: str
    part: str
    method: str
    width: str
    option: str = "body"

    @property
    def whole(self) -> bool:
        """Whether every attack runs in every mode; of the others online LiRA and LOSS do."""
        return self.part in (BASELINE, WIDTH, HEAD, FOLLOWED)


def rows(study: Vision, layers: Sequence[str]) -> list[Row]:
    """All of them, each once, the baseline first.

    Args:
        study: The settings.
        layers: Names of the network's layers with weights, the head last.
    """
    found: dict[str, Row] = {}
    for row in _rows(study, layers):
        found.setdefault(row.spec, row)
    return list(found.values())


def _rows(study: Vision, layers: Sequence[str]) -> Iterator[Row]:
    yield Row(spec=BASELINE, part=BASELINE, method=BASELINE, width="32")
    for method in METHODS:
        for width in study.widths:
            yield Row(spec=study.spec(method, width), part=WIDTH, method=method, width=width)
    for method in METHODS:
        for head in study.head_options:
            spec = study.spec(method, TERNARY, f"head={head}")
            yield Row(spec=spec, part=HEAD, method=method, width=TERNARY, option=head)
    for width in study.followed:
        yield Row(spec=f"{NEAREST}:{width}", part=FOLLOWED, method=NEAREST, width=width)
    head = layers[-1]
    spec = procedure(f"{NEAREST}:{TERNARY}?only={head}").spec
    yield Row(spec=spec, part=HEAD_ALONE, method=NEAREST, width=TERNARY, option=head)
    if study.layers:
        for layer in layers:
            spec = procedure(f"{NEAREST}:{TERNARY}?keep={layer}").spec
            yield Row(spec=spec, part=LAYER, method=NEAREST, width=TERNARY, option=layer)
    if study.noise:
        width = study.widths[-1]
        spec = procedure(f"noise:{study.spec(NOISE_OF, width)}").spec
        yield Row(spec=spec, part=NOISE, method=NOISE_OF, width=width, option="1")
