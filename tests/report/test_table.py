"""The result in a terminal and in a notebook."""

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from quantleak.report import html_table, text_table
from quantleak.results import Recommendation

HOSTILE = "<script>alert(1)</script>\x1b[31m\n"


def lines_of(text):
    return {line[2:].split()[0]: line for line in text.splitlines() if line[2:].split()}


def test_it_opens_with_the_recommendation_and_how_sure(make, case):
    text = text_table(make())
    assert text.startswith("Ship 90% sparse (ternary:0.9).\nHow bad? The strongest attack finds 1.4%")
    assert "How sure? It leaks less than the original, by 7.3 to 8.1 points" in " ".join(text.split())
    nothing = Recommendation(quantizer=None, reason="None keeps enough.", whom="Of few.", clear=False)
    opening = "No quantizer to recommend.\nHow bad? None keeps enough.\nFor whom? Of few.\n\n"
    assert text_table(make(case(recommended=nothing))).startswith(opening)


def test_what_to_know_before_it_is_trusted_stands_below(make):
    text = text_table(make())
    assert "Before you trust this:\n- Rows occur more than once: 21 were removed." in text
    assert "Before you trust this" not in text_table(replace(make(), cautions=[]))


def test_one_line_a_quantizer_with_its_numbers(make):
    result = make()
    lines = lines_of(text_table(result))
    for row in result.quantizers:
        line = lines[row.spec]
        shown = [
            f"{row.effective_bits:.2f}",
            f"{row.utility.value:.3f} [{row.utility.low:.3f}, {row.utility.high:.3f}]",
            f"{100 * row.worst.value:.2f}% [{100 * row.worst.low:.2f}, {100 * row.worst.high:.2f}]",
            "-" if not row.versus_original else f"{100 * row.versus_original['worst'].value:+.2f} pp",
            "" if row.rate.resolution is None or row.rate.resolution >= 2 else "z < 2",
            f"{row.fidelity.value:.3f}",
            f"{row.rate.elements:g}",
        ]
        rest = line[2:].removeprefix(row.spec)
        for text in shown:
            before, found, rest = rest.partition(f" {text}")
            assert found, (text, before)
        if row.rate.value is not None and row.rate.resolution >= 2:
            assert float(line.split()[-3]) == pytest.approx(row.rate.value, rel=0.005)
        assert line.startswith("> ") == (row.spec == "ternary:0.9")


def test_columns_stand_under_their_titles(make):
    lines = [line for line in text_table(make()).splitlines() if line.startswith(("  ", "> "))]
    assert len({len(line) for line in lines[2:]}) == 1
    titles, first = lines[2], lines[3]
    assert titles.split() == [
        "Quantizer", "Bits", "AUROC", "false", "alarms", "original", "r_Q", "Fidelity", "models",
    ]  # fmt: skip
    # A number ends where the last word of its title ends.
    for word, number in (("Bits", "32.00"), ("AUROC", "0.866]"), ("alarms", "11.31]"), ("models", " 100")):
        assert titles.index(word) + len(word) == first.index(number) + len(number)


def test_where_no_rate_is_supported_the_title_says_auc(make, case):
    text = text_table(make(case(fpr=None)))
    assert "AUC of" in text
    assert "false alarms" not in text.partition("Quantizer")[2]


def test_where_rates_differ_each_cell_names_its_own(make):
    result = make()
    first, *rest = result.quantizers
    text = text_table(replace(result, quantizers=[replace(first, worst=replace(first.worst, fpr=0.1)), *rest]))
    assert "9.12% [7.30, 11.31] (Members found at 10% false alarms)" in text
    assert "2.02% [1.62, 2.50] (Members found at 1% false alarms)" in text


def test_what_is_not_resolved_is_said(make):
    text = " ".join(text_table(make()).split())
    assert "r_Q of 7 of 8 quantizers is not resolved (z < 2) at N = 1,456 validation examples" in text


def test_theory_that_contradicts_the_attack_is_said(make):
    result = make()
    assert "disagree" not in text_table(result)
    original, *rest = result.quantizers

    def with_rates(sign: int):
        rows = [replace(row, rate=replace(row.rate, value=1 + sign * row.worst.value, resolution=9.0)) for row in rest]
        return " ".join(text_table(replace(result, quantizers=[original, *rows])).split())

    assert (
        "r_Q ranks these 8 quantizers against the strongest attack (Spearman -1.000). Trust the attack" in with_rates(1)
    )
    assert "disagree" not in with_rates(-1)


def test_what_was_trained(make):
    assert "32 models, mlp:128, 60 epochs; binary; examples: pool 3,639, validation 1,456" in " ".join(
        text_table(make()).split()
    )


def test_no_line_is_longer_than_110_and_nothing_commands_the_terminal(make):
    result = make()
    first, *rest = result.quantizers
    longest = replace(first, spec="codebook:" + "x" * 300)
    hostile = replace(rest[0], spec=HOSTILE)
    advice = replace(result.recommended, reason="", headline=HOSTILE)
    result = replace(result, recommended=replace(advice, headline="x"))
    text = text_table(replace(result, quantizers=[longest, hostile, *rest[1:]], recommended=advice))
    assert max(map(len, text.splitlines())) <= 110
    assert "\x1b" not in text
    assert len(text.splitlines()) == len(text_table(result).splitlines())


def test_nothing_in_it_is_still_a_table(make):
    assert "Quantizer" in text_table(replace(make(), quantizers=[]))


class Tags(HTMLParser):
    """Lists tags and texts."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.texts.append(data)


def test_a_notebook_sees_the_same_rows(make, words):
    result = make()
    seen = Tags(html_table(result))
    # One table of the risk, and one of theory, which says nothing of the original.
    assert seen.tags.count("tr") == 1 + len(result.quantizers) + len(result.quantizers)
    joined = " ".join(" ".join(seen.texts).split())
    for row in result.quantizers:
        assert f"{words[row.spec]} ({row.spec}) " in joined
        assert f"{row.utility.value:.3f} [{row.utility.low:.3f}, {row.utility.high:.3f}]" in joined
    assert "Ship 90% sparse (ternary:0.9)." in joined


def test_a_notebook_runs_nothing(make, case):
    recommended = Recommendation(quantizer=HOSTILE, reason=HOSTILE, clear=True)
    result = make(case(recommended=recommended))
    first, *rest = result.quantizers
    seen = Tags(html_table(replace(result, quantizers=[replace(first, spec=HOSTILE), *rest], task=HOSTILE)))
    assert "script" not in seen.tags
    assert sum("<script>" in text for text in seen.texts) >= 3
