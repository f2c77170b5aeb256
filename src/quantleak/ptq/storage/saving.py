"""Quantized modules on disk: packed codes and grids in a safetensors file, with a JSON description in its header."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from quantleak.errors import InputError
from quantleak.ptq.modules import Weight, fold_like, weights_of
from quantleak.ptq.modules.layout import state
from quantleak.ptq.solvers import Grid
from quantleak.ptq.storage.packing import pack, unpack
from quantleak.ptq.storage.record import ATTRIBUTE, Quantization, QuantizedWeight, quantization
from quantleak.store import write

FORMAT = "quantleak.quantized"
"""The one entry of the header: safetensors writes several in any order, and equal modules are equal files."""
VERSION = 1


def save_quantized(module: nn.Module, path: str | Path) -> Path:
    """Write a quantized module to one safetensors file.

    Of every quantized weight it holds the codes, packed at their width (ternary ones five to a byte), the scales
    (float32) and zero points of its channels; all other parameters and buffers as they are.
    The header's entry `quantleak.quantized` is JSON: spec, policy, levels, seed, calibration examples, and the SHA-256
    of the trained module.

    Args:
        module: As :func:`quantize` made it.
        path: The file; by custom it ends in `.safetensors`. It is written aside and renamed.

    Returns:
        The path.

    Raises:
        InputError: If the module has no codes, or a weight that is no longer the one they stand for.
    """
    record, path = quantization(module), Path(path)
    own = state(module)
    tensors: dict[str, Tensor] = {}
    for one in record.weights:
        name = one.weight.name
        if not torch.equal(own.pop(name).detach().cpu().float(), one.values.cpu()):
            raise InputError(f"'{name}' was changed after it was quantized: its codes stand for another weight.")
        codes = one.codes.cpu().numpy().ravel()
        tensors[f"{name}.codes"] = torch.from_numpy(pack(codes, one.grid.levels))
        tensors[f"{name}.scale"] = one.grid.scale.cpu().contiguous()
        tensors[f"{name}.zero"] = one.grid.zero.cpu().to(one.zero_dtype).contiguous()
    dtype = getattr(torch, record.unquantized_dtype)
    for name, tensor in own.items():
        value = tensor.detach().cpu().contiguous()
        rounded = value.is_floating_point() and name not in record.left
        tensors[name] = value.to(dtype) if rounded else value.clone()
    try:
        write(path, save(tensors, {FORMAT: json.dumps(_description(record))}))
    except OSError as error:
        raise InputError(f"{error.strerror or error}.") from error
    return path


def load_quantized(path: str | Path, model: nn.Module) -> nn.Module:
    """Read a quantized module.

    Args:
        path: A file of :func:`save_quantized`.
        model: A module of the same architecture, whatever its values; nothing of it changes.

    Returns:
        A module in evaluation mode with the weights, predictions and record of the one that was saved, bit for bit.

    Raises:
        InputError: A file that is missing, damaged or of another kind, or a module of another architecture, with the
            first tensor that differs and both shapes.
    """
    description, tensors = _read(Path(path))
    made = copy.deepcopy(model).eval()
    if description["folded"]:
        fold_like(made, {name.removesuffix(".codes") for name in tensors})
    weights = {weight.name: weight for weight in weights_of(made)}
    done: list[QuantizedWeight] = []
    for name, entry in description["weights"].items():
        if name not in weights:
            raise InputError(f"{path}: the saved weight '{name}' of shape {tuple(entry['shape'])} {_ABSENT}")
        done.append(_weight(Path(path), weights[name], entry, tensors))
    own = state(made)
    quantized = {one.weight.name: one.values for one in done}
    saved = quantized | {name: tensor for name, tensor in tensors.items() if name in own}
    stray = [name for name in tensors if name not in own and name.rpartition(".")[0] not in quantized]
    for name, tensor in own.items():
        found = saved.get(name)
        if found is None or found.shape != tensor.shape:
            seen = "is missing there" if found is None else f"has shape {tuple(found.shape)} there"
            raise InputError(
                f"{path}: '{name}' has shape {tuple(tensor.shape)} in {type(model).__name__} but {seen}; give a module "
                "of the architecture that was saved."
            )
    if stray:
        raise InputError(f"{path}: the saved tensor '{stray[0]}' of shape {tuple(tensors[stray[0]].shape)} {_ABSENT}")
    with torch.no_grad():
        for name, tensor in own.items():
            tensor.copy_(saved[name])
    object.__setattr__(made, ATTRIBUTE, _record(description, tuple(done)))
    return made


_KEYS = ("spec", "policy", "seed", "weights", "left", "unquantized_dtype", "calibration", "folded", "source", "notes")
_ABSENT = "is not in the module; give a module of the architecture that was saved."


def _description(record: Quantization) -> dict[str, Any]:
    return {
        "version": VERSION,
        "spec": record.spec,
        "policy": record.policy,
        "seed": record.seed,
        "weights": {
            one.weight.name: {"rule": one.rule, "levels": one.grid.levels, "shape": list(one.weight.shape)}
            for one in record.weights
        },
        "left": list(record.left),
        "unquantized_dtype": record.unquantized_dtype,
        "calibration": record.calibration,
        "folded": [list(pair) for pair in record.folded],
        "source": record.source,
        "notes": list(record.notes),
    }


def _record(description: dict[str, Any], weights: tuple[QuantizedWeight, ...]) -> Quantization:
    return Quantization(
        spec=description["spec"],
        policy=description["policy"],
        seed=description["seed"],
        weights=weights,
        left=tuple(description["left"]),
        unquantized_dtype=description["unquantized_dtype"],
        calibration=description["calibration"],
        folded=tuple((layer, norm) for layer, norm in description["folded"]),
        source=description["source"],
        notes=tuple(description["notes"]),
    )


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    if not path.is_file():
        raise InputError(f"{path} is no file; ql.save_quantized(module, path) writes one.")
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            names = file.keys()
            tensors = {name: file.get_tensor(name) for name in names}
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} is no safetensors file, or is damaged: {error}") from error
    if FORMAT not in header:
        raise InputError(f"{path} was not written by ql.save_quantized.")
    try:
        description = json.loads(header[FORMAT])
        version = description["version"]
        missing = [key for key in _KEYS if key not in description]
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} is damaged: its description cannot be read.") from error
    if version != VERSION:
        raise InputError(f"{path} has version {version} of the format, this quantleak reads {VERSION}; upgrade it.")
    if missing:
        raise InputError(f"{path} is damaged: its description has no {missing[0]}.")
    return description, tensors


def _weight(path: Path, weight: Weight, entry: dict[str, Any], tensors: dict[str, Tensor]) -> QuantizedWeight:
    if tuple(entry["shape"]) != weight.shape:
        raise InputError(
            f"{path}: '{weight.name}' was saved with shape {tuple(entry['shape'])}, but has {weight.shape} in the "
            "module; give a module of the architecture that was saved."
        )
    levels = int(entry["levels"])
    shape = (weight.groups, weight.rows // weight.groups, weight.count // weight.rows)
    try:
        codes = unpack(tensors[f"{weight.name}.codes"].numpy(), levels, weight.count)
        scale = tensors[f"{weight.name}.scale"].reshape(shape[:2])
        zero = tensors[f"{weight.name}.zero"].to(torch.int32).reshape(shape[:2])
    except (KeyError, ValueError, RuntimeError) as error:
        raise InputError(f"{path}: the codes of '{weight.name}' are damaged: {error}") from error
    grid = Grid(levels, scale, zero)
    return QuantizedWeight.of(weight, entry["rule"], grid, torch.from_numpy(np.asarray(codes)).reshape(shape))
