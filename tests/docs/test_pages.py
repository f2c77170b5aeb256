"""Every block of Python and every command of README and docs does what the page says.

Audits are made smaller by the rule in conftest.py; nothing else is changed. Blocks of a page run in order, in one
namespace; one that begins with `# name.py` is saved under that name too. A command must end with the code beside it
(`# exits 3`; `# exits 0 or 3` where small audits may differ), else with 0. `make` and `pip` are not run: their targets
and extras must exist.
"""

from __future__ import annotations

import re
import shlex
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from quantleak import cli

ROOT = Path(__file__).parents[2]
SKIPPED = {"_build", "gallery", "studies"}  # made by a build, or by a study
FENCE = re.compile(r"^```(?P<kind>\w+)\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"(?<!`)`((?:quantleak|make|pip install) [^`]+)`(?!`)")
EXIT = re.compile(r"#\s*exits (\d)(?: or (\d))?")
FILE = re.compile(r"# (\w+\.py)\n")


@dataclass(frozen=True)
class Python:
    """A block of Python; `file` if its first line is the name of a file that it is to be saved as."""

    line: int
    code: str
    file: str | None


@dataclass(frozen=True)
class Command:
    """One command, and the exit codes that the page allows (`# exits 3`)."""

    line: int
    words: tuple[str, ...]
    codes: tuple[int, ...] = (0,)


def pages() -> list[Path]:
    """README and every page of docs/ that people wrote."""
    written = [
        path for path in (ROOT / "docs").rglob("*.md") if path.relative_to(ROOT / "docs").parts[0] not in SKIPPED
    ]
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(written)]


def steps(path: Path) -> list[Python | Command]:
    """Blocks and commands of a page, in the order in which they stand there."""
    text = path.read_text()
    found: list[Python | Command] = []
    for fence in FENCE.finditer(text):
        line = text.count("\n", 0, fence.start()) + 1
        if fence["kind"] == "python":
            saved = FILE.match(fence["body"])
            found.append(Python(line=line, code=fence["body"], file=saved[1] if saved else None))
        if fence["kind"] in ("sh", "console"):
            found += commands(fence["body"], line)
    prose = FENCE.sub(lambda fence: "\n" * fence[0].count("\n"), text)
    for inline in INLINE.finditer(prose):
        found += commands(inline[1].replace("\n", " "), prose.count("\n", 0, inline.start()))
    return sorted(found, key=lambda step: step.line)


def commands(text: str, line: int) -> list[Command]:
    """The commands of a block, with its prompts, comments and continued lines."""
    found = []
    for number, row in enumerate(text.replace("\\\n", " ").splitlines(), line + 1):
        words = shlex.split(row.strip().removeprefix("$ "), comments=True)
        found_code = EXIT.search(row)
        codes = tuple(int(code) for code in found_code.groups() if code) if found_code else (0,)
        if words:
            found.append(Command(line=number, words=tuple(words), codes=codes))
    return found


def pages_with_steps() -> list[Path]:
    """Pages on which there is something to run."""
    return [page for page in pages() if steps(page)]


@pytest.mark.filterwarnings("ignore")  # what other libraries advise a reader is not about the page
@pytest.mark.parametrize("page", pages_with_steps(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_what_a_page_says_works(page: Path, reader: Path, smaller_command, monkeypatch, capfd) -> None:
    module = ModuleType("page")
    monkeypatch.setitem(sys.modules, "page", module)
    for step in steps(page):
        if isinstance(step, Python):
            run_python(step, module, page, reader, monkeypatch)
        elif step.words[0] == "quantleak":
            code = run_command(smaller_command(step.words), monkeypatch)
            assert code in step.codes, f"{page.name}:{step.line} ended with {code}: {capfd.readouterr().err}"
        else:
            check_set_up(step)


def run_python(step: Python, module: ModuleType, page: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a block in the namespace of its page, as a script in the folder would."""
    if step.file:
        (folder / step.file).write_text(step.code)
    with monkeypatch.context() as patch:
        patch.syspath_prepend(folder)
        exec(compile("\n" * step.line + step.code, str(page), "exec"), vars(module))


def run_command(words: list[str], monkeypatch: pytest.MonkeyPatch) -> int:
    """The exit code of a command."""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "argv", words)
        patch.setattr(sys, "path", list(sys.path))
        patch.delitem(sys.modules, "my_model", raising=False)
        try:
            cli.main()
        except SystemExit as stop:
            return int(stop.code or 0)
    return 0


def check_set_up(step: Command) -> None:
    """A target that the Makefile has, or extras that the package declares."""
    if step.words[0] == "make":
        targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
        assert set(step.words[1:]) <= targets
        return
    assert step.words[:2] == ("pip", "install"), step
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    asked = re.findall(r"\[([\w,]+)\]", " ".join(step.words))
    assert set(",".join(asked).split(",")) - {""} <= set(declared)


def test_the_rule_leaves_everything_else_as_it_is(smaller_command) -> None:
    words = ("quantleak", "audit", "--data", "a.csv", "--models", "64", "--out", "o")
    assert smaller_command(words)[:8] == ["quantleak", "audit", "--data", "a.csv", "--models", "4", "--out", "o"]
    assert smaller_command(("quantleak", "gate", "--models", "64")) == ["quantleak", "gate", "--models", "64"]


def test_steps_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("Say `quantleak list\nmodels`.\n\n```sh\n$ quantleak gate a \\\n  --max-auc 0.5  # exits 3\n```\n")
    assert steps(page) == [
        Command(line=1, words=("quantleak", "list", "models")),
        Command(line=5, words=("quantleak", "gate", "a", "--max-auc", "0.5"), codes=(3,)),
    ]
