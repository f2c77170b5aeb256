"""How much does a quantized model reveal about its training data, and which quantizer reveals least?

This module is the table of contents. Names are loaded when they are first used, so that importing the package is free.
"""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

from quantleak.version import VERSION

if TYPE_CHECKING:
    from quantleak import hf as hf
    from quantleak import lightning as lightning
    from quantleak import sklearn as sklearn
    from quantleak import testing as testing
    from quantleak.attacks import RMIA as RMIA
    from quantleak.attacks import BaVarIA as BaVarIA
    from quantleak.attacks import LiRA as LiRA
    from quantleak.attacks import bavaria as bavaria
    from quantleak.attacks import leave_one_out as leave_one_out
    from quantleak.attacks import lira as lira
    from quantleak.attacks import rmia as rmia
    from quantleak.attacks import roc as roc
    from quantleak.auditing import AuditResult as AuditResult
    from quantleak.auditing import Settings as Settings
    from quantleak.auditing import audit as audit
    from quantleak.data import Dataset as Dataset
    from quantleak.data import bundled as bundled
    from quantleak.data import from_arrays as from_arrays
    from quantleak.data import read_images as read_images
    from quantleak.data import read_molecules as read_molecules
    from quantleak.data import read_table as read_table
    from quantleak.errors import InputError as InputError
    from quantleak.ptq import dequantized as dequantized
    from quantleak.ptq import load_quantized as load_quantized
    from quantleak.ptq import quantize as quantize
    from quantleak.ptq import save_quantized as save_quantized
    from quantleak.quantizers import PAPER_A as PAPER_A
    from quantleak.quantizers import quantizer as quantizer
    from quantleak.theory import Certificate as Certificate
    from quantleak.theory import Rate as Rate
    from quantleak.theory import combine as combine
    from quantleak.theory import cramer_rate as cramer_rate
    from quantleak.theory import erm_certificate as erm_certificate
    from quantleak.theory import fidelity as fidelity
    from quantleak.theory import finite_rate as finite_rate
    from quantleak.theory import privacy_rate as privacy_rate
    from quantleak.theory.exact import erm_mis as erm_mis
    from quantleak.trajectory import TrackedRates as TrackedRates
    from quantleak.trajectory import TrajectoryTracker as TrajectoryTracker

_CONTENTS = {
    "quantleak.auditing": ("audit", "AuditResult", "Settings"),
    "quantleak.data": ("Dataset", "bundled", "from_arrays", "read_table", "read_molecules", "read_images"),
    "quantleak.quantizers": ("quantizer", "PAPER_A"),
    "quantleak.ptq": ("quantize", "save_quantized", "load_quantized", "dequantized"),
    "quantleak.theory": (
        "privacy_rate",
        "cramer_rate",
        "finite_rate",
        "fidelity",
        "erm_certificate",
        "combine",
        "Rate",
        "Certificate",
    ),
    "quantleak.theory.exact": ("erm_mis",),
    "quantleak.trajectory": ("TrajectoryTracker", "TrackedRates"),
    "quantleak.attacks": ("lira", "bavaria", "rmia", "leave_one_out", "roc", "LiRA", "BaVarIA", "RMIA"),
    "quantleak.errors": ("InputError",),
}
_MODULES = ("lightning", "hf", "sklearn", "testing")
"""Modules of their own, some of which need an extra."""

_HOME = {name: module for module, names in _CONTENTS.items() for name in names}

__all__ = [*_HOME, *_MODULES]

__version__ = VERSION

# Silent unless the user gives it a handler.
logging.getLogger("quantleak").addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"quantleak.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'quantleak' has no attribute '{name}'; it has {', '.join(_HOME)}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
