"""Quantizes a whole network, unit by unit, each on inputs from the quantized units before it."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from quantleak.errors import InputError
from quantleak.ptq.elementwise import ROUNDED
from quantleak.ptq.modules import Weight, blocks_of, fold, fold_like, head_of, retune, walk, weights_of
from quantleak.ptq.modules.fisher import NO_BLOCK, importances
from quantleak.ptq.modules.layout import state
from quantleak.ptq.modules.walk import Call
from quantleak.ptq.procedure import digest
from quantleak.ptq.rule import BODY, FLOAT, DataAware, Rule
from quantleak.ptq.storage.record import ATTRIBUTE, Quantization, QuantizedWeight, effective_bits
from quantleak.ptq.unit import Unit
from quantleak.threads import one_thread


class _Run:
    """One quantization of one network."""

    def __init__(
        self,
        rule: Rule,
        model: nn.Module,
        calibration: Tensor | None,
        seed: int,
        policy: Mapping[str, Rule | None],
        indices: tuple[int, ...] | None,
    ) -> None:
        self.rule, self.seed, self.notes = rule, seed, list[str]()
        for weight in weights_of(model):  # refuses before anything is copied
            _require_float32(weight, model.get_parameter(weight.name))
        self.trained, self.made = (copy.deepcopy(model).eval() for _ in range(2))
        for tensor in state(self.trained).values():
            tensor.requires_grad_(False)
        self.inputs = self._calibration(calibration, policy)
        folded = self._folded()
        self._round_rest()
        weights = weights_of(self.made)
        rules = self._rules(weights, policy)
        self.done: dict[str, QuantizedWeight] = {}
        for weight in weights:
            one = rules[weight.name]
            if one is not None and (not one.reads_data or weight.kind == "embedding"):
                self._round(weight, one)
        aware = {name: one for name, one in rules.items() if name not in self.done and isinstance(one, DataAware)}
        self._walk([weight for weight in weights if weight.name in aware], aware)
        if rule.retune:
            assert self.inputs is not None
            retune(self.made, self.inputs)
            self._round_rest()
        record = Quantization(
            spec=rule.spec,
            policy={name: FLOAT if one is None else one.spec for name, one in policy.items()},
            seed=seed,
            weights=tuple(self.done[weight.name] for weight in weights if weight.name in self.done),
            left=tuple(weight.name for weight in weights if weight.name not in self.done),
            unquantized_dtype=rule.unquantized_dtype,
            calibration=_described(self.inputs, indices),
            folded=tuple(folded),
            source=digest(model).hex(),
            notes=tuple(self.notes),
        )
        object.__setattr__(self.made, ATTRIBUTE, record)

    def _calibration(self, given: Tensor | None, policy: Mapping[str, Rule | None]) -> Tensor | None:
        """The rows that are read, on the device of the model."""
        wanted = max([self.rule.calibration_rows, *(one.calibration_rows for one in policy.values() if one)])
        if not wanted:
            return None
        if given is None or not len(given):
            raise InputError(
                f"{self.rule.spec} needs calibration examples: give calibration=inputs [examples, ...] that the model "
                "was trained on, or a loader of them."
            )
        device = next(self.made.parameters()).device
        inputs = given[:wanted].detach().to(device)
        if inputs.is_floating_point() and not _is_finite(inputs):
            raise InputError("The calibration examples hold NaN or infinite values; impute or remove these rows.")
        return inputs

    def _folded(self) -> list[tuple[str, str]]:
        if not self.rule.fold:
            return []
        assert self.inputs is not None
        fold(self.trained, self.inputs)
        return fold(self.made, self.inputs)

    def _round_rest(self) -> None:
        """Round what is not quantized, if it is to be rounded."""
        dtype = ROUNDED[self.rule.unquantized_dtype]
        if dtype is torch.float32:
            return
        weights = {name for weight in weights_of(self.made) for name in (weight.name, *weight.tied)}
        for name, tensor in state(self.made).items():
            if name not in weights and tensor.is_floating_point():
                tensor.copy_(tensor.to(dtype))

    def _rules(self, weights: tuple[Weight, ...], policy: Mapping[str, Rule | None]) -> dict[str, Rule | None]:
        """By name of a weight, its rule."""
        rules = {weight.name: policy.get(weight.name, self.rule) for weight in weights}
        if self.rule.head != BODY:
            assert self.inputs is not None
            head = head_of(self.trained, self.inputs[:1])
            found = [weight.name for weight in weights if f"{head}.weight".lstrip(".") in (weight.name, *weight.tied)]
            if not found:
                raise InputError(f"{self.rule.spec}: the model runs no linear layer that could be its head.")
            rules |= {name: self.rule.at_head() for name in found if name not in policy}
        self._leave(weights, rules, policy)
        for weight in weights:
            one = rules[weight.name]
            if one is not None and one.reads_data and weight.kind == "other":
                part = self.made.get_submodule(weight.layer)
                raise InputError(
                    f"'{weight.name}' of {type(part).__name__} cannot be quantized by {one.name}, which needs a layer "
                    "that multiplies its inputs by its weight. Round it to the nearest value or leave it: "
                    f'policy={{"{weight.name}": "rtn:8"}} or "float".'
                )
        return rules

    def _leave(
        self, weights: tuple[Weight, ...], rules: dict[str, Rule | None], policy: Mapping[str, Rule | None]
    ) -> None:
        """Leave the weights that the rule's `keep` and `only` name; a pattern must match something."""
        if self.rule.keep is None and self.rule.only is None:
            return
        left = [weight.name for weight in weights if self.rule.leaves((weight.layer, weight.name, *weight.tied))]
        if not left or len(left) == len(weights):
            layers = ", ".join(dict.fromkeys(weight.layer for weight in weights))
            every = "no layer" if not left else "all layers"
            raise InputError(f"{self.rule.spec} leaves {every} at full precision. Layers: {layers}")
        rules |= {name: None for name in left if name not in policy}

    def _round(self, weight: Weight, rule: Rule) -> None:
        """Every weight at the nearest value; for an embedding, of orthogonal inputs, every rule comes to that."""
        matrix = weight.matrix(self.made.get_parameter(weight.name).detach())
        grid = rule.grid_of(matrix)
        self._put(QuantizedWeight.of(weight, rule.spec, grid, grid.codes(matrix.float())))

    def _put(self, one: QuantizedWeight) -> None:
        self.done[one.weight.name] = one
        self.made.get_parameter(one.weight.name).copy_(one.values)

    def _walk(self, todo: list[Weight], rules: Mapping[str, DataAware]) -> None:
        """Quantize the rest, unit by unit in the order of execution."""
        if not todo:
            return
        assert self.inputs is not None
        units = self._units(todo, rules)
        wanted = [name for name, inside in units.items() if rules[inside[0].name].fisher]
        importance = importances(self.trained, self.inputs, wanted, self.seed) if wanted else {}

        def visit(module: nn.Module, call: Call, trained: Call) -> None:
            inside = units[call.name]
            rule = rules[inside[0].name]
            _require_usable(call, trained)
            matrices = {one.name: one.matrix(self.made.get_parameter(one.name).detach()) for one in inside}
            unit = Unit(
                module=module,
                original=self.trained.get_submodule(call.name),
                call=call,
                trained=trained,
                weights=tuple(inside),
                grids={name: rule.grid_of(matrix) for name, matrix in matrices.items()},
                importance=importance.pop(call.name, None),
                seed=self.seed,
            )
            codes, note = rule.reconstruct(unit)
            self.notes += [f"'{call.name}': {note}"] if note else []
            for one in inside:
                self._put(QuantizedWeight.of(one, rule.spec, unit.grids[one.name], codes[one.name]))

        walk(self.trained, self.made, self.inputs, list(units), visit)
        for weight in todo:
            if weight.name not in self.done:
                self._round(weight, rules[weight.name])
                self.notes.append(f"'{weight.layer}': did not run on the calibration examples; rounded to nearest")

    def _units(self, todo: list[Weight], rules: Mapping[str, DataAware]) -> dict[str, list[Weight]]:
        """By name of a unit, the weights that are quantized with it."""
        patterns = {pattern for rule in rules.values() for pattern in rule.block_patterns}
        blocks = blocks_of(self.made, patterns) if any(rule.blocks for rule in rules.values()) else []
        units: dict[str, list[Weight]] = {}
        for weight in todo:
            block = next((name for name in blocks if weight.name.startswith(f"{name}.")), None)
            inside = block if block is not None and rules[weight.name].blocks else weight.layer
            units.setdefault(inside, []).append(weight)
        for name, members in units.items():
            specs = {rules[weight.name] for weight in members}
            others = [w.name for w in todo if w not in members and w.name.startswith(f"{name}.")]
            if len(specs) > 1 or others:
                raise InputError(
                    f"Block '{name}' holds weights of different data-aware rules: inside a block of brecq, give single "
                    "layers rtn or float only."
                )
        return units


def _require_float32(weight: Weight, parameter: Tensor) -> None:
    if parameter.element_size() < 4:
        raise InputError(
            f"'{weight.name}' is {parameter.dtype}, which cannot hold dequantized weights exactly; give model.float()."
        )


def _require_usable(call: Call, trained: Call) -> None:
    if not isinstance(trained.output, Tensor):
        raise InputError(f"'{call.name}' returns {type(trained.output).__name__}, not a tensor: {NO_BLOCK}")
    for tensor, what in ((trained.first, "inputs"), (trained.output, "outputs"), (call.first, "inputs")):
        if isinstance(tensor, Tensor) and tensor.is_floating_point() and not _is_finite(tensor):
            raise InputError(
                f"'{call.name}': its {what} hold NaN or infinite values on the calibration examples. Check the model "
                "and its inputs."
            )


def _is_finite(tensor: Tensor) -> bool:
    # A finite sum proves that every term is finite; the reverse fails on overflow, so look closer.
    return bool(torch.isfinite(tensor.sum())) or bool(torch.isfinite(tensor).all())


def _described(inputs: Tensor | None, indices: tuple[int, ...] | None) -> dict[str, Any]:
    if inputs is None:
        return {}
    values = inputs.cpu().contiguous()
    total = hashlib.sha256(f"{values.dtype} {tuple(values.shape)}".encode())
    total.update(values.flatten().view(torch.uint8).numpy().data)
    found: dict[str, Any] = {"examples": len(inputs), "sha256": total.hexdigest()}
    return found | ({} if indices is None else {"indices": list(indices[: len(inputs)])})


@dataclass(frozen=True, kw_only=True)
class NetworkProcedure(Rule):
    """A rule as a procedure: it quantizes a network unit by unit."""

    def quantize(self, model: nn.Module, calibration: Tensor | None, seed: int) -> nn.Module:
        """See `Procedure.quantize`; the record is the attribute `quantization` of the result."""
        return self.quantize_network(model, calibration, seed, {})

    def effective_bits(self, quantized: nn.Module, constants: Collection[str] = ()) -> float:
        """See `Procedure.effective_bits`."""
        return effective_bits(quantized, constants)

    def restored(self, model: nn.Module, tensors: Mapping[str, Tensor]) -> nn.Module:
        """See `Procedure.restored`; norms that were folded away are missing in `tensors`."""
        if not (self.fold and tensors):
            return super().restored(model, tensors)
        made = copy.deepcopy(model).eval()
        fold_like(made, set(tensors))
        return super().restored(made, tensors)

    def quantize_network(
        self,
        model: nn.Module,
        calibration: Tensor | None,
        seed: int,
        policy: Mapping[str, Rule | None],
        indices: tuple[int, ...] | None = None,
    ) -> nn.Module:
        """Quantize a network.

        Args:
            model: The trained module; nothing of it changes.
            calibration: Inputs `[examples, ...]`; None for a rule that needs none.
            seed: Fixes all that is drawn.
            policy: By name of a weight, another rule than this one, or None to leave the weight as it is.
            indices: Where the calibration examples stand in the training set, for the record.
        """
        with one_thread(), torch.inference_mode(False), torch.no_grad():
            return _Run(self, model, calibration, seed, policy, indices).made
