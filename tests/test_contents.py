"""The public names, and what importing the package costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

import quantleak as ql


@pytest.mark.parametrize("name", ql.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(ql, name) is not None
    assert name in dir(ql)


def test_a_wrong_name_lists_the_right_ones() -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'quantiser'; it has .*quantizer"):
        _ = ql.quantiser


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import sys, quantleak; assert not {'torch', 'numpy', 'pandas', 'pydantic'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_function_is_not_hidden_by_importing_rooms() -> None:
    code = "import quantleak as ql, quantleak.auditing, quantleak.attacks.evaluation.roc\n"
    code += "assert callable(ql.audit) and callable(ql.roc)"
    subprocess.run([sys.executable, "-c", code], check=True)
