"""How the help of every verb ends: its exit codes, and two worked examples."""

from __future__ import annotations

CODES = {
    0: "fine",
    1: "failure",
    2: "something given cannot be used",
    3: "the privacy gate is not met",
}
EXAMPLES: dict[str, tuple[str, str]] = {
    "audit": (
        "quantleak audit --dataset breast_cancer --out out/breast_cancer",
        "quantleak audit --data AMES.csv --smiles Drug --target Y --models 32 --epochs 60 --out out/ames",
    ),
    "attack": (
        "quantleak attack SCORES.npz --out out/attack",
        "quantleak attack SCORES.npz --out out/attack2 --set level=0.9 --json",
    ),
    "report": (
        "quantleak report out/breast_cancer",
        "quantleak report out/breast_cancer --quantizer uniform:4",
    ),
    "gate": (
        "quantleak gate out/breast_cancer --max-tpr 0.1:0.3 --quantizer recommended",
        "quantleak gate out/breast_cancer --max-auc 0.9 --summary gate.md --junit gate.xml",
    ),
    "compare": (
        "quantleak compare out/before out/breast_cancer",
        "quantleak compare out/breast_cancer out/breast_cancer --quantizer uniform:5 --against ternary:0.9",
    ),
    "reproduce": (
        "quantleak reproduce synthetic --preset quick --out out/synthetic_quick",
        "quantleak reproduce synthetic --preset paper --out out/synthetic --dry-run",
    ),
    "init": (
        "quantleak init --dataset breast_cancer",
        "quantleak init patients.yaml --data patients.csv --target sick",
    ),
    "validate": (
        "quantleak validate audit.yaml",
        "quantleak validate audit.yaml --json",
    ),
    "list": (
        "quantleak list quantizers",
        "quantleak list datasets --json",
    ),
    "cite": (
        "quantleak cite",
        "quantleak cite out/breast_cancer",
    ),
}


def ending(verb: str) -> str:
    """Exit codes and examples of a verb, each example on a line of its own, however long."""
    codes = [code for code in CODES if code < 3 or verb == "gate"]
    meanings = ", ".join(f"{code} {CODES[code]}" for code in codes)
    # A paragraph that begins with \b is not wrapped.
    examples = "\n".join(["\b", "Examples:", *(f"  {example}" for example in EXAMPLES[verb])])
    return f"Exit codes: {meanings}.\n\n{examples}"
