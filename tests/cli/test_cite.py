"""BibTeX of what a run used, and of nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from quantleak.auditing import AuditResult
from quantleak.cli.cite import WORKS, citations
from quantleak.scores.attack import attack_scores

Made = Callable[..., AuditResult]


def test_without_a_run_everything_is_cited() -> None:
    works = citations()
    assert len(works) == 1 + len(WORKS)
    for work in works:
        text = str(work)
        assert text.count("{") == text.count("}")
        assert re.search(r"@\w+\{\w+,\n(  \w+ = \{.*\},\n)+\}$", text)


def test_an_audit_cites_the_attacks_that_ran(made: Made) -> None:
    keys = [work.key for work in citations(made())]
    assert keys == ["quantleak", "aubinais2025membership", "zhang2025bits", "yeom2018privacy", "carlini2022membership",
                    "cameron2011multiway"]  # fmt: skip  # its RMIA could not run
    assert "version = {0.1.0}" in str(citations(made())[0])


def test_own_scores_cite_no_paper_on_quantizers() -> None:
    result = attack_scores({"scores": np.arange(40.0), "member": np.arange(40) % 2})
    assert [work.key for work in citations(result)] == ["quantleak"]
