"""The page says what the result says, fetches nothing and runs nothing."""

import itertools
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from quantleak.report import write_pages, write_report
from quantleak.report.pages.page import page as page_of
from quantleak.results import PAGES, Caution, Estimate, RateSummary, Recommendation

COMMAND = "quantleak audit --data AMES.csv --out DIR"
SCRIPT = '"><script>alert(1)</script>'
VOID = {"meta", "br", "hr", "img", "link", "input"}


def page(result, command=COMMAND):
    return page_of(result, command)


class Document(HTMLParser):
    """A page read back: tables by caption, headings, attributes; asserts that every tag is closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.attributes, self.headings, self.tables = [], [], [], {}
        self.rows, self.words = [], []
        self.caption = self.cell = None
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.attributes += [(tag, *pair) for pair in attrs]
        self.open += [] if tag in VOID else [tag]
        if tag == "table":
            self.rows, self.caption = [], ""
        elif tag == "tr":
            self.rows.append([])
        elif tag in {"th", "td"}:
            self.cell = ""
        elif tag in {"h1", "h2", "h3", "h4"}:
            self.headings.append((int(tag[1]), ""))

    def handle_startendtag(self, tag, attrs):
        self.attributes += [(tag, *pair) for pair in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        if tag in {"th", "td"}:
            self.rows[-1].append(" ".join(self.cell.split()))
            self.cell = None
        elif tag == "table":
            assert self.caption.strip()
            self.tables[self.caption.strip()] = self.rows

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)
        if self.cell is not None:
            self.cell += data
        elif "caption" in self.open:
            self.caption += data
        elif {"h1", "h2", "h3", "h4"} & set(self.open):
            self.headings[-1] = (self.headings[-1][0], self.headings[-1][1] + data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def rows_of(self, start):
        return next(rows for caption, rows in self.tables.items() if caption.startswith(start))


def shown(number, places=3, scale=1, unit="", plus=""):
    """Oracle: value and interval as a page should show them."""
    if number.value is None:
        return "–"
    form = f"{{:{plus}.{places}f}}"
    text = form.format(scale * number.value) + unit
    if number.low is not None:
        text += f" [{form.format(scale * number.low)}, {form.format(scale * number.high)}]"
    return text.replace("-", "−")


def share(number):
    return shown(number, 2 if number.value is not None and number.value < 0.1 else 1, 100, "%")


@pytest.fixture(scope="module")
def usual(make):
    """The page of the usual result, rendered once."""
    return page(make())


def test_it_is_a_document_with_headings_in_order(usual):
    text = usual
    assert text.startswith("<!DOCTYPE html>\n<html lang=")
    document = Document(text)
    levels = [level for level, _ in document.headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert document.attributes.count(("details", "class", "part")) == levels.count(2) - 2
    assert not [value for tag, name, value in document.attributes if (tag, name) == ("details", "open")]
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert [words for level, words in document.headings if level == 2] == [
        "Before you trust this",
        "What theory says without an attack",
        "Against the original, and which attack was worst",
        "ROC curves at low false-positive rates",
        "What the attacker knows: adaptive, transferred and recalibrated shadows",
        "Leakage by class",
        "Examples exposed beyond chance",
        "Theory: rQ, the Cramér rate, how stable the ranking is, and certificates",
        "All attacks",
        "What each figure means, and what it does not",
        "Threat model",
        "Data",
        "How it was made: settings, versions, cost",
    ]
    ids = [value for _, name, value in document.attributes if name == "id"]
    assert len(ids) == len(set(ids))


def test_the_first_table_has_a_row_a_quantizer(make, usual, words):
    result = make()
    titles, *rows = Document(usual).rows_of("Utility and leakage")
    assert titles == [
        "Quantizer", "Bits", "AUROC", "Members found at 1% false alarms", "Against the original",
        "Worst class: members found minus false alarms",
    ]  # fmt: skip
    for row, quantizer in zip(rows, result.quantizers, strict=True):
        assert row[0].removesuffix(" recommended") == f"{words[quantizer.spec]} ({quantizer.spec})"
        assert row[1:4] == [f"{quantizer.effective_bits:.2f}", shown(quantizer.utility), share(quantizer.worst)]
        if quantizer.versus_original:
            assert row[4] == shown(quantizer.versus_original["worst"], 2, 100, " pp", "+")
        assert row[5] == f"{100 * quantizer.worst_class.value:+.2f} pp 1".replace("-", "−")
    assert [row[0] for row in rows if "recommended" in row[0]] == ["90% sparse (ternary:0.9) recommended"]


def test_what_theory_says_stands_in_a_table_of_its_own(make, usual):
    titles, *rows = Document(usual).rows_of("Scores that need no attack")
    assert titles == ["Quantizer", "rQ", "Fidelity", "Distinct models"]
    for row, quantizer in zip(rows, make().quantizers[1:], strict=True):
        assert row[1].endswith(f" z = {quantizer.rate.resolution:.1f}")
        assert row[1].startswith("unresolved") == (quantizer.rate.resolution < 2)
        assert row[2:] == [f"{quantizer.fidelity.value:.3f}", f"{quantizer.rate.elements:g}"]
    assert "do not rank by it" in usual


def test_every_attack_has_its_numbers_or_its_reason(make, usual, words):
    result = make()
    _, *rows = Document(usual).rows_of("Every attack")
    expected = [(row.spec, attack) for row in result.quantizers for attack in row.attacks]
    for row, (spec, attack) in zip(rows, expected, strict=True):
        assert row[:3] == [f"{words[spec]} ({spec})", attack.name, attack.mode]
        if attack.reason:
            assert row[3:] == [attack.reason]
            continue
        assert row[3:] == [
            shown(attack.auc),
            *(share(attack.tpr[rate]) for rate in ("0.001", "0.01", "0.1")),
            share(attack.balanced_accuracy),
            shown(attack.mis_bound),
        ]


def test_the_rates_come_with_resolution_and_elements(make, usual):
    result = make()
    document = Document(usual)
    for caption, name in (("The privacy score", "rate"), ("The Cramér rate", "cramer")):
        _, *rows = document.rows_of(caption)
        for row, quantizer in zip(rows, result.quantizers, strict=True):
            rate = getattr(quantizer, name)
            assert row[5:9] == [f"{rate.elements:g}", "1,456", str(rate.unbounded), str(rate.undefined)]
            if rate.value is None:
                assert row[1:5] == ["–"] * 4
                assert row[9] == "not a discrete set"
            else:
                ranked = f"{rate.rank.value:g} [{rate.rank.low:g}, {rate.rank.high:g}]"
                assert row[3] == ("–" if rate.resolution < 2 else ranked)
                assert ("not resolved at N = 1,456" in row[9]) == (rate.resolution < 2)
    assert "only the ranking is claimed" in document.text
    assert "as a control" in document.text


def test_the_ranking_comes_with_its_stability_and_certificates(make, usual, words):
    document = Document(usual)
    # One quantizer alone is resolved, and none is resolved where there is nobody to rank it against.
    assert not [caption for caption in document.tables if caption.startswith("How sure the ranking")]
    result = make()
    resolved = [replace(row, rate=replace(row.rate, resolution=2.5)) for row in result.quantizers[1:]]
    again = Document(page(replace(result, quantizers=[result.quantizers[0], *resolved])))
    titles, *rows = again.rows_of("How sure the ranking")
    assert titles[1:] == [words[row.spec] for row in result.quantizers[1:]]
    assert [row[1:] for row in rows] == [["–" if i == j else "25%" for j in range(8)] for i in range(8)]
    _, *rows = document.rows_of("Certificates")
    assert [row[1] for row in rows][:2] == ["never", "800"]
    assert [row[2] for row in rows if "ternary:0.9" in row[0]] == ["a certificate at n = 1,819 in 3 of 16 models"]
    assert rows[-1][2] == "no certificate at n = 1,819"


def test_curves_modes_classes_and_exposed_examples_have_tables(make, usual, words):
    result = make()
    document = Document(usual)
    titles, *rows = document.rows_of("Members found by the strongest")
    assert titles == ["False alarms", *words.values()]
    assert [row[0] for row in rows] == ["0.316%", "1%", "10%", "100%"]
    assert rows[1][1] == "9.12% [0.00, 9.12]"
    _, *rows = document.rows_of("Members found at 1% false alarms, by what the shadows are")
    for row, quantizer in zip(rows, result.quantizers, strict=True):
        found = {a.mode: share(a.tpr["0.01"]) for a in quantizer.attacks if a.name == "lira-online"}
        assert row[2:] == [found.get(mode, "–") for mode in ("adaptive", "transfer", "recalibrated")]
    _, *rows = document.rows_of("Leakage by class")
    assert [row[0] for row in rows] == ["1 rare"] * 9 + ["0"] * 9
    assert rows[0][1:] == [
        "639",
        "original (identity)",
        "18.2% [4.6, 27.4]",
        "1.00% [0.50, 2.00]",
        "+8.12 pp [0.00, +18.24]",
    ]
    assert "less than half of an equal share of the pool: here 1." in document.text
    _, *rows = document.rows_of("Exposed examples")
    assert [row[0].split()[0] for row in rows] == ["original"] * 10 + ["90%"] * 10
    assert rows[0][1:] == ["7000", "88% [30, 100]", "8", "12% [0, 60]", "8"]
    assert "12 of 3,639 examples are exposed beyond chance; all of them are found in more than half" in document.text


def test_differences_to_the_original(make, usual):
    result = make()
    _, *rows = Document(usual).rows_of("Worst attack")
    assert rows[0][-2:] == ["–", "–"]
    for row, quantizer in list(zip(rows, result.quantizers, strict=True))[1:]:
        assert row[1:3] == [quantizer.worst.name, quantizer.worst.mode]
        leakage, utility = quantizer.versus_original["worst"], quantizer.versus_original["utility"]
        assert row[5] == shown(leakage, 2, 100, " pp", "+")
        # What rounds to nothing has no sign.
        assert row[6].lstrip("+−") == shown(utility, 3, plus="+").lstrip("+−")


def test_words_on_threat_data_settings_and_versions(make, usual):
    result = make()
    text = Document(usual).text
    for phrase in (
        "has the quantized weights",
        "knows the pool",
        "can train shadow models",
        "over models and examples both",
    ):
        assert phrase in text
    for phrase in ("Rows refused 3", "Duplicates removed 21", "17, 204, 5011", "column 'Y' holds two values", "7,278"):
        assert phrase in text
    for key, value in result.settings.items():
        assert f"{key} {', '.join(value) if isinstance(value, list) else value}" in text
    for key, value in result.versions.items():
        assert f"{key} {value}" in text
    assert "Training and following trajectories, last session 81.2 s" in text
    assert "Models trained 32" in text
    assert "Processes 2" in text
    assert "No TPR at 0.1% FPR: too few non-members for this false-positive rate." in text


def test_nothing_is_fetched_and_nothing_runs(usual):
    text = usual
    document = Document(text)
    addresses = [(tag, name, value) for tag, name, value in document.attributes if value and "//" in value]
    assert {(name, value) for _, name, value in addresses} == {("xmlns", "http://www.w3.org/2000/svg")}
    assert not [name for _, name, _ in document.attributes if name in {"src", "srcset"} or name.startswith("on")]
    assert [value for _, name, value in document.attributes if name == "href"] == ["#details"]
    assert "<script" not in text
    assert "@import" not in text
    assert "url(" not in text
    assert len(text.encode()) < 500_000


def test_everything_from_the_data_is_escaped(make):
    result = make()
    first, *rest = result.quantizers
    attack = replace(first.attacks[0], name=SCRIPT, mode=SCRIPT, convention={SCRIPT: SCRIPT}, reason=SCRIPT)
    broken = replace(
        first,
        spec=SCRIPT,
        utility=replace(first.utility, metric=SCRIPT, also={SCRIPT: Estimate(value=1.0)}),
        rate=RateSummary(value=None, reason=SCRIPT),
        attacks=[attack, *first.attacks[1:]],
        worst=replace(first.worst, name=SCRIPT, mode=SCRIPT),
    )
    data = {"name": SCRIPT, "classes": [SCRIPT], "columns": [SCRIPT], "target": SCRIPT, SCRIPT: {SCRIPT: [SCRIPT]}}
    hostile = replace(
        result,
        task=SCRIPT,
        n={SCRIPT: 1},
        recommended=Recommendation(
            quantizer=SCRIPT,
            reason=SCRIPT,
            clear=False,
            headline=SCRIPT,
            sure=SCRIPT,
            whom=SCRIPT,
            least_leaking=SCRIPT,
        ),
        cautions=[Caution(kind=SCRIPT, text=SCRIPT)],
        roc=result.roc.assign(quantizer=SCRIPT, attack=SCRIPT, mode=SCRIPT),
        classes=result.classes.assign(quantizer=SCRIPT, **{"class": SCRIPT}),
        exposed=result.exposed.assign(quantizer=SCRIPT),
        quantizers=[broken, *rest],
        data=data,
        settings={SCRIPT: SCRIPT},
        seeds={SCRIPT: 1},
        versions={"quantleak": SCRIPT, SCRIPT: SCRIPT},
        timings={SCRIPT: 1.0},
    )
    text = page(hostile)
    Document(text)
    assert "<script" not in text
    assert text.count("&lt;script&gt;") > 20


@pytest.mark.parametrize(
    "changes",
    [
        {"fpr": None},
        {"intervals": False},
        {"recommended": Recommendation(quantizer=None, reason="None keeps enough utility.", clear=False)},
        {"metric": "r2", "fpr": 0.1},
        {"fpr": None, "intervals": False, "metric": "accuracy"},
    ],
    ids=str,
)
def test_results_with_gaps_are_pages(make, case, changes):
    result = make(case(**changes))
    document = Document(page(result))
    assert len(document.rows_of("Utility and leakage")) == 1 + len(result.quantizers)
    if changes.get("fpr", 1) is None:
        assert "AUC of the attack" in document.rows_of("Utility and leakage")[0]
        assert "There are no curves" in document.text
        assert "Single examples were not tested: no false-positive rate is supported." in document.text
    if changes.get("intervals") is False:
        assert "Numbers without an interval: no interval was computed." in document.text
    if changes.get("metric") == "r2":
        assert next(row[1] for row in document.rows_of("Other measures")) == "Spearman"


def test_an_audit_without_a_number_is_a_page(make):
    result = make()
    none = {"value": None, "low": None, "high": None, "reason": "no attack could run"}
    emptied = [
        replace(row, worst=replace(row.worst, **none), attacks=[], versus_original={}) for row in result.quantizers
    ]
    document = Document(page(replace(result, quantizers=emptied)))
    assert "There is no figure" in document.text
    assert "no attack could run" in document.text


def test_what_readers_open_is_written_into_a_folder(make, tmp_path):
    write_pages(make(), tmp_path / "out")
    names = {"report.html", "privacy-card.md", "privacy-card.json", "exposed.csv"}
    assert {file.name for file in (tmp_path / "out").iterdir()} == names == set(PAGES)
    lines = (tmp_path / "out" / "exposed.csv").read_text().splitlines()
    assert lines[0].split(",")[:3] == ["quantizer", "row", "flagged_when_member"]
    assert lines[1] == "identity,7000,0.8750,0.3000,1.0000,8,0.1250,0.0000,0.6000,8,0.0100,lira-online,adaptive,0.0100"
    assert len(lines) == 1 + 9 * 12


def test_equal_results_give_equal_files_and_old_files_are_replaced(make, tmp_path):
    path = tmp_path / "out" / "report.html"
    assert write_report(make(), path) == path
    first = path.read_bytes()
    path.write_text("old")
    write_report(make(), str(path))
    assert path.read_bytes() == first
    assert [file.name for file in path.parent.iterdir()] == ["report.html"]
