"""Two runs side by side: order, inputs from quantized units, errors on either side."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from quantleak.errors import InputError
from quantleak.ptq.modules.walk import Call, walk


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.late, self.early, self.unused = nn.Linear(4, 2), nn.Linear(3, 4), nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.late(self.early(x).relu())


def doubled(module: nn.Module, call: Call, trained: Call) -> None:
    with torch.no_grad():
        assert isinstance(module, nn.Linear)
        module.weight.mul_(2)


def test_units_come_in_the_order_of_execution_with_inputs_from_changed_ones() -> None:
    trained, inputs = Network(), torch.randn(5, 3)
    made, seen = copy.deepcopy(trained), {}

    def visit(module: nn.Module, call: Call, own: Call) -> None:
        seen[call.name] = (call.first.clone(), own.first.clone(), own.output.clone())
        doubled(module, call, own)

    assert walk(trained, made, inputs, ["late", "early", "unused"], visit) == ["early", "late"]
    assert torch.equal(seen["early"][0], inputs)
    assert torch.equal(seen["late"][0], made.early(inputs).relu())
    assert torch.equal(seen["late"][1], trained.early(inputs).relu())
    assert torch.equal(seen["late"][2], trained(inputs))
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in (*trained.modules(), *made.modules()))


def test_a_unit_that_runs_twice_is_visited_at_its_first_run() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one = nn.Linear(3, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.one(self.one(x))

    trained, inputs = Twice(), torch.randn(5, 3)
    made = copy.deepcopy(trained)
    assert walk(trained, made, inputs, ["one"], doubled) == ["one"]
    torch.testing.assert_close(made.one.weight, 2 * trained.one.weight)


class Forked(nn.Module):
    """Runs its layers in an order that depends on the values."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.a, self.b = nn.Linear(3, 3), nn.Linear(3, 3), nn.Linear(3, 3)
        nn.init.constant_(self.first.weight, 1.0)
        nn.init.constant_(self.first.bias, 0.0)

    def forward(self, x: Tensor) -> Tensor:
        y = self.first(x)
        return self.a(y) if y.sum() < 20 else self.b(y)


def test_two_orders_are_refused_by_name() -> None:
    trained = Forked()
    with pytest.raises(InputError, match="runs 'b' where the trained one runs 'a'"):
        walk(trained, copy.deepcopy(trained), torch.ones(1, 3), ["first", "a", "b"], doubled_much)
    with pytest.raises(InputError, match="runs 'b' where the trained one runs nothing"):
        walk(trained, copy.deepcopy(trained), torch.ones(1, 3), ["first", "b"], doubled_much)


def doubled_much(module: nn.Module, call: Call, trained: Call) -> None:
    for _ in range(3):
        doubled(module, call, trained)


def test_an_error_of_either_run_ends_both() -> None:
    class Fails(nn.Module):
        def __init__(self, fails: bool) -> None:
            super().__init__()
            self.one, self.two, self.fails = nn.Linear(3, 3), nn.Linear(3, 3), fails

        def forward(self, x: Tensor) -> Tensor:
            y = self.one(x)
            if self.fails:
                raise ArithmeticError("on purpose")
            return self.two(y)

    for trained, made in ((Fails(True), Fails(False)), (Fails(False), Fails(True))):
        with pytest.raises(ArithmeticError, match="on purpose"):
            walk(trained, made, torch.ones(2, 3), ["one", "two"], doubled)

    def divides(module: nn.Module, call: Call, trained: Call) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        walk(Fails(False), Fails(False), torch.ones(2, 3), ["one", "two"], divides)


def test_keyword_arguments_are_inputs_too() -> None:
    class Named(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one = nn.Linear(3, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.one(input=x)

    seen: list[Tensor] = []
    trained, inputs = Named(), torch.randn(2, 3)
    walk(trained, copy.deepcopy(trained), inputs, ["one"], lambda _, call, own: seen.extend((call.first, own.first)))
    assert all(torch.equal(each, inputs) for each in seen)
