"""The gate as a pipeline meets it: a shell, exit codes, a JUnit file."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as xml

import pytest

import quantleak


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished audit in `out`, made by the command."""
    folder = tmp_path_factory.mktemp("shell")
    audit = "audit --dataset breast_cancer --model linear --models 4 --epochs 2 --workers 1"
    done = command(folder, f"{audit} --quantizer sign --quantizer uniform:5 --out out --quiet")
    assert done.returncode == 0, done.stderr
    return folder


def command(folder: Path, words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`quantleak WORDS` in a shell that stops at the first failure, as CI does."""
    script = f"set -e\n{shlex.quote(sys.executable)} -m quantleak {words}\n"
    # The package may be found by a relative path that holds only where the tests were started.
    package = str(Path(quantleak.__file__).parents[1])
    return subprocess.run(
        ["sh", "-c", script],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": package, **environment},
        capture_output=True,
        text=True,
    )


def test_a_met_gate_is_0(shell: Path) -> None:
    done = command(shell, "gate out --max-tpr 0.1:1 --junit met.xml --summary met.md")
    assert (done.returncode, done.stderr) == (0, "")
    suites = xml.parse(shell / "met.xml").getroot()
    assert (suites.get("tests"), suites.get("failures")) == ("4", "0")
    assert "Gate met" in (shell / "met.md").read_text()


def test_a_gate_not_met_is_3_and_says_by_how_much(shell: Path) -> None:
    done = command(shell, "gate out --max-tpr 0.1:0.11 --max-auc 0.501 --junit failed.xml")
    assert (done.returncode, done.stderr) == (3, "")
    assert "Gate not met: " in done.stdout
    assert "over by" in done.stdout
    suites = xml.parse(shell / "failed.xml").getroot()
    failures = suites.findall("testsuite/testcase/failure")
    assert len(failures) == int(str(suites.get("failures"))) > 0
    assert all("over by" in str(failure.get("message")) for failure in failures)


def test_bad_input_is_2(shell: Path) -> None:
    done = command(shell, "gate nowhere --max-auc 0.6")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr


def test_an_output_that_lacks_the_letters_of_a_name_ends_no_audit(tmp_path: Path) -> None:
    rows = "".join(f"{i % 7},{i % 11},{(i * 7 % 11) // 6}\n" for i in range(120))
    (tmp_path / "病人.csv").write_text("a,b,y\n" + rows, encoding="utf-8")
    words = (
        "audit --data 病人.csv --target y --model linear --models 4 --epochs 2 --workers 1 --quantizer sign --out 结果"
    )
    done = command(tmp_path, words, PYTHONIOENCODING="cp1252")
    assert done.returncode == 0, done.stderr
    assert "??" in done.stdout
    assert (tmp_path / "结果" / "manifest.json").exists()
