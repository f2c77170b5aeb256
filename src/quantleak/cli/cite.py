"""`quantleak cite`: what to cite: quantleak and the works behind the methods that a run used."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from quantleak.version import VERSION

if TYPE_CHECKING:
    from quantleak.results import AuditRecord, ScoresRecord


def cite(
    folder: Path | None = typer.Argument(
        None, metavar="[DIR]", help="Folder of a finished run: only what it used.", show_default="everything"
    ),
    as_json: bool = typer.Option(False, "--json", help="Print JSON instead of BibTeX."),
) -> None:
    """Print BibTeX of quantleak and of the methods that a run used."""
    works = citations(folder)
    typer.echo(json.dumps([work.to_dict() for work in works], indent=1) if as_json else "\n\n".join(map(str, works)))


@dataclass(frozen=True, kw_only=True)
class Work:
    """One entry of a bibliography.

    Attributes:
        key: Its key.
        kind: BibTeX's type, such as `article`.
        fields: By name, in order.
        reason: What of it is used.
    """

    key: str
    kind: str
    fields: dict[str, str]
    reason: str

    def __str__(self) -> str:
        """BibTeX."""
        lines = [f"  {name} = {{{value}}}," for name, value in self.fields.items()]
        return "\n".join([f"% {self.reason}", f"@{self.kind}{{{self.key},", *lines, "}"])

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, with the BibTeX."""
        return {**asdict(self), "bibtex": str(self)}


def citations(run: AuditRecord | ScoresRecord | str | Path | None = None) -> list[Work]:
    """Quantleak and the works behind a run; all of them without one.

    Args:
        run: A finished run or its folder.

    Raises:
        InputError: A folder without a finished run.

    Example:
        >>> [work.key for work in citations()][:3]
        ['quantleak', 'aubinais2025membership', 'zhang2025bits']
    """
    if isinstance(run, str | Path):
        from quantleak.results import opened

        run = opened(run)
    version = VERSION if run is None else run.versions.get("quantleak", VERSION)
    return [_software(version), *(work for name, work in WORKS.items() if run is None or _used(name, run))]


def _used(name: str, run: AuditRecord | ScoresRecord) -> bool:
    from quantleak.results import AuditRecord

    attacks = [a for row in run.quantizers for a in row.attacks] if isinstance(run, AuditRecord) else run.attacks
    names = {str(attack.convention.get("name", attack.name)) for attack in attacks if attack.reason is None}
    if name in ("score", "quantized"):
        return isinstance(run, AuditRecord)
    if name == "intervals":
        return run.n.get("models", run.n.get("targets", 0)) > 1
    return name in names


def _software(version: str) -> Work:
    return Work(
        key="quantleak",
        kind="software",
        fields={
            "author": "{The quantleak developers}",
            "title": "quantleak: what quantized models reveal about their training data",
            "version": version,
            "license": "Apache-2.0",
        },
        reason="the software",
    )


def _arxiv(number: str, year: str, author: str, title: str) -> dict[str, str]:
    return {
        "author": author, "title": title, "year": year, "eprint": number, "archiveprefix": "arXiv",
        "journal": f"arXiv:{number}",
    }  # fmt: skip


WORKS = {
    "score": Work(
        key="aubinais2025membership",
        kind="article",
        fields=_arxiv(
            "2502.06567",
            "2025",
            "Aubinais, Eric and Formont, Philippe and Piantanida, Pablo and Gassiat, Elisabeth",
            "Membership Inference Risks in Quantized Models: A Theoretical and Empirical Study",
        ),
        reason="the privacy score r_Q, the Cramer rate, the quantizers",
    ),
    "quantized": Work(
        key="zhang2025bits",
        kind="article",
        fields=_arxiv(
            "2512.15335",
            "2025",
            "Zhang, Chenxiang and Qu, Tongxi and Li, Zhong and Zhang, Tian and Pang, Jun and Mauw, Sjouke",
            "Bits for Privacy: Evaluating Post-Training Quantization via Membership Inference",
        ),
        reason="attacks against quantized networks",
    ),
    "loss": Work(
        key="yeom2018privacy",
        kind="inproceedings",
        fields={
            "author": "Yeom, Samuel and Giacomelli, Irene and Fredrikson, Matt and Jha, Somesh",
            "title": "Privacy Risk in Machine Learning: Analyzing the Connection to Overfitting",
            "booktitle": "IEEE Computer Security Foundations Symposium",
            "year": "2018",
        },
        reason="the LOSS attack",
    ),
    "lira": Work(
        key="carlini2022membership",
        kind="inproceedings",
        fields={
            "author": "Carlini, Nicholas and Chien, Steve and Nasr, Milad and Song, Shuang and Terzis, Andreas and "
            "Tram{\\`e}r, Florian",
            "title": "Membership Inference Attacks From First Principles",
            "booktitle": "IEEE Symposium on Security and Privacy",
            "year": "2022",
        },
        reason="the attack LiRA",
    ),
    "bavaria": Work(
        key="brannvall2026exponential",
        kind="article",
        fields=_arxiv(
            "2603.11799",
            "2026",
            'Br{\\"a}nnvall, Rickard',
            "Exponential-Family Membership Inference: From {LiRA} and {RMIA} to {BaVarIA}",
        ),
        reason="the attack BaVarIA",
    ),
    "rmia": Work(
        key="zarifzadeh2024lowcost",
        kind="inproceedings",
        fields={
            "author": "Zarifzadeh, Sajjad and Liu, Philippe and Shokri, Reza",
            "title": "Low-Cost High-Power Membership Inference Attacks",
            "booktitle": "International Conference on Machine Learning",
            "year": "2024",
        },
        reason="the attack RMIA",
    ),
    "intervals": Work(
        key="cameron2011multiway",
        kind="article",
        fields={
            "author": "Cameron, A. Colin and Gelbach, Jonah B. and Miller, Douglas L.",
            "title": "Robust Inference With Multiway Clustering",
            "journal": "Journal of Business & Economic Statistics",
            "volume": "29",
            "number": "2",
            "pages": "238--249",
            "year": "2011",
        },
        reason="the intervals over models and examples",
    ),
}
"""By what they are used for; attacks by the name in their convention."""
