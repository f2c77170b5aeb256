"""The tracker against Algorithm 1 written out, and what it leaves behind: nothing."""

from __future__ import annotations

import copy
import io
import random
from collections import namedtuple
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from quantleak.errors import InputError
from quantleak.quantizers import PAPER_A, quantizer
from quantleak.theory import privacy_rate
from quantleak.trajectory import TrackedRates, TrajectoryTracker, tracker

DISCRETE = PAPER_A[:-1]


def data(task: str = "binary", examples: int = 50) -> TensorDataset:
    random = torch.Generator().manual_seed(0)
    features = torch.randn(examples, 6, generator=random)
    if task == "regression":
        return TensorDataset(features, torch.randn(examples, generator=random))
    return TensorDataset(features, torch.randint(0, 3 if task == "multiclass" else 2, (examples,), generator=random))


def loader(task: str = "binary", **settings: Any) -> DataLoader[Any]:
    return DataLoader(data(task), **({"batch_size": 16} | settings))


def network(outputs: int = 1) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, outputs))


def train(model: nn.Module, epochs: int, after: Callable[[], object]) -> None:
    features = data()[:][0]
    torch.manual_seed(2)  # of dropout
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(epochs):
        model.train()
        optimizer.zero_grad()
        model(features).square().mean().backward()
        optimizer.step()
        after()


def tracked(model: nn.Module | None = None, epochs: int = 6, **settings: Any) -> TrajectoryTracker:
    model = network() if model is None else model
    made = TrajectoryTracker(**({"loss": "binary"} | settings))
    train(model, epochs, lambda: made.update(model, loader()))
    return made


REFERENCE = {
    "binary": lambda out, y: functional.binary_cross_entropy_with_logits(out[:, 0], y.float(), reduction="none"),
    "multiclass": lambda out, y: functional.cross_entropy(out, y, reduction="none"),
    "regression": lambda out, y: functional.mse_loss(out[:, 0], y, reduction="none"),
}


def algorithm_1(model: nn.Module, spec: str, task: str, seen: dict[bytes, Tensor]) -> None:
    """The oracle: a deep copy whose parameters are overwritten, torch's own losses, a dict of bytes."""
    copied = copy.deepcopy(model).eval()
    with torch.no_grad():
        for tensor in [*copied.parameters(), *copied.buffers()]:
            if tensor.is_floating_point():
                tensor.copy_(quantizer(spec)(tensor) if tensor.ndim >= 2 else tensor.bfloat16().float())
        features, targets = data(task)[:]
        content = b"".join((t + 0.0).numpy().tobytes() for t in copied.state_dict().values() if t.is_floating_point())
        seen.setdefault(content, REFERENCE[task](copied(features), targets))


@pytest.mark.parametrize("task", REFERENCE)
def test_it_finds_what_algorithm_1_finds(task: str) -> None:
    model = network(3 if task == "multiclass" else 1)
    made = TrajectoryTracker(loss=task)
    seen: dict[str, dict[bytes, Tensor]] = {spec: {} for spec in DISCRETE}

    def look() -> None:
        made.update(model, loader(task))
        for spec in DISCRETE:
            algorithm_1(model, spec, task, seen[spec])

    train(model, 6, look)
    found = made.compute()
    assert (found.updates, found.n_validation) == (6, 50)
    for spec in DISCRETE:
        expected = privacy_rate(torch.stack(list(seen[spec].values())))
        assert found[spec].r_q.elements == len(seen[spec])
        assert found[spec].r_q.value == pytest.approx(expected.value, rel=1e-3, abs=1e-9)


def everything(model: nn.Module) -> list[Any]:
    """All that an update might disturb."""
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    modes = [module.training for module in model.modules()]
    numpy_state = [str(part) for part in np.random.get_state()]
    return [state, modes, random.getstate(), numpy_state, torch.get_rng_state()]


def assert_undisturbed(before: list[Any], after: list[Any]) -> None:
    assert before[1:4] == after[1:4]
    assert torch.equal(before[4], after[4])
    assert all(torch.equal(tensor, after[0][name]) for name, tensor in before[0].items())


@pytest.mark.parametrize("fails", [False, True])
def test_it_leaves_no_trace_even_when_it_fails(fails: bool) -> None:
    def draws(outputs: Tensor, targets: Tensor) -> Tensor:
        torch.rand(3), random.random(), np.random.rand()
        if fails and len(targets) < 16:  # the last batch
            raise RuntimeError("in the middle")
        assert not torch.is_grad_enabled()
        return functional.softplus(outputs[:, 0])

    model = network().train()
    model[1].eval()  # a mode of its own
    made = TrajectoryTracker(loss=draws)
    batches = loader(generator=torch.Generator().manual_seed(3))
    parameters, before, own = list(model.parameters()), everything(model), batches.generator.get_state()
    if fails:
        with pytest.raises(RuntimeError, match="in the middle"):
            made.update(model, batches)
        assert made.updates == 0
    else:
        made.update(model, batches)
    assert_undisturbed(before, everything(model))
    assert torch.equal(own, batches.generator.get_state())
    assert all(one is other for one, other in zip(parameters, model.parameters(), strict=True))
    assert torch.is_grad_enabled()


def test_training_goes_on_as_if_it_had_not_been_there() -> None:
    runs = []
    for made in (None, TrajectoryTracker(loss="binary")):
        model = network()
        torch.manual_seed(5)
        train(model, 4, lambda model=model, made=made: made and made.update(model, loader()))
        runs.append(torch.cat([p.flatten() for p in model.parameters()]))
    assert torch.equal(*runs)


def test_an_element_seen_before_is_not_evaluated_again() -> None:
    model = network()
    read = []

    class Counting(list[Any]):
        def __iter__(self) -> Any:
            read.append(1)
            return super().__iter__()

    batches = Counting(loader())
    made = TrajectoryTracker(loss="binary", quantizers=["sign", "uniform:3"])
    made.update(model, batches)
    made.update(model, batches)
    assert (len(read), made.elements, made.updates) == (1, {"sign": 1, "uniform:3": 1}, 2)
    with torch.no_grad():
        model[0].weight *= 1 + 1e-6  # no quantized weight moves
    made.update(model, batches)
    assert len(read) == 1
    with torch.no_grad():
        model[1].running_mean += 1.0  # a buffer is part of the element
    made.update(model, batches)
    assert (len(read), made.elements) == (2, {"sign": 2, "uniform:3": 2})


def test_integers_are_part_of_the_element_but_not_the_count_of_batches() -> None:
    class Shifted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear, self.norm = nn.Linear(6, 1), nn.BatchNorm1d(6)
            self.register_buffer("column", torch.tensor(0))

        def forward(self, x: Tensor) -> Tensor:
            self.column += 0 * self.column + 1  # a buffer that counts its forward passes
            out: Tensor = self.linear(self.norm(x)) + x[:, [int(self.column) % 6]]
            return out

    model, made = Shifted(), TrajectoryTracker(loss="binary", quantizers=["sign"])
    made.update(model, loader())
    model.norm.num_batches_tracked += 1
    made.update(model, loader())
    assert (made.elements, int(model.column)) == ({"sign": 1}, 0)
    model.column += 1
    made.update(model, loader())
    assert made.elements == {"sign": 2}


class Tied(nn.Module):
    """An autoencoder that shares one weight."""

    def __init__(self) -> None:
        super().__init__()
        self.below, self.above = nn.Linear(6, 6, bias=False), nn.Linear(6, 6, bias=False)
        self.above.weight = self.below.weight

    def forward(self, x: Tensor) -> Tensor:
        return (self.above(self.below(x))).mean(1)


def test_a_shared_weight_is_quantized_once_and_stays_shared() -> None:
    model, used = Tied(), []

    def look(model: Tied, batch: Any) -> tuple[Tensor, Tensor]:
        used.extend([model.below.weight, model.above.weight])
        return model(batch[0]), batch[1]

    TrajectoryTracker(loss="binary", quantizers=["ternary:0.5"], forward=look).update(model, loader(batch_size=50))
    below, above = used
    assert below is above
    assert torch.equal(below, quantizer("ternary:0.5")(model.below.weight))
    assert model.above.weight is model.below.weight


def test_autocast_around_an_update_changes_nothing() -> None:
    plain, inside = TrajectoryTracker(loss="binary"), TrajectoryTracker(loss="binary")
    plain.update(network(), loader())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside.update(network(), loader())
    for spec in DISCRETE:
        rows = [made.state_dict()["tables"][spec]["losses"] for made in (plain, inside)]
        assert torch.equal(*rows)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_half_precision_models_are_computed_in_float32_and_double_in_double(dtype: torch.dtype) -> None:
    seen = []

    def look(model: nn.Module, batch: Any) -> tuple[Tensor, Tensor]:
        seen.append(model[0].weight.dtype)
        return model(batch[0]), batch[1]

    dataset = TensorDataset(data()[:][0].to(dtype), data()[:][1])
    made = TrajectoryTracker(loss="binary", quantizers=["uniform:3"], forward=look)
    made.update(network().to(dtype), DataLoader(dataset, batch_size=50))
    assert seen == [torch.float64 if dtype == torch.float64 else torch.float32]


def eager(model: nn.Module) -> nn.Module:
    compiled: nn.Module = torch.compile(model, backend="eager")
    return compiled


@pytest.mark.parametrize("wrap", [nn.DataParallel, eager, lambda model: nn.DataParallel(eager(model))])
def test_wrappers_are_taken_off(wrap: Callable[[nn.Module], nn.Module]) -> None:
    plain, wrapped = TrajectoryTracker(loss="binary"), TrajectoryTracker(loss="binary")
    plain.update(network(), loader())
    wrapped.update(wrap(network()), loader())
    assert plain.state_dict()["tables"]["sign"]["digests"] == wrapped.state_dict()["tables"]["sign"]["digests"]


Batch = namedtuple("Batch", ["x", "y"])  # as some collate functions make it


@pytest.mark.parametrize(
    ("batches", "forward"),
    [
        ([{"x": x, "y": y} for x, y in loader()], lambda model, batch: (model(batch["x"]), batch["y"])),
        ([Batch(x, y) for x, y in loader()], None),
        ([[x, y] for x, y in loader()], None),
        ([(x, y, "more") for x, y in loader()], lambda model, batch: (model(batch[0]), batch[1])),
        ([SimpleNamespace(x=x, y=y) for x, y in loader()], lambda model, batch: (model(batch.x), batch.y)),
    ],
)
def test_batches_of_every_kind(batches: list[Any], forward: Any) -> None:
    expected, made = TrajectoryTracker(loss="binary"), TrajectoryTracker(loss="binary", forward=forward)
    for model in (network(), nn.Sequential(*network())[:]):
        expected.update(model, loader())
        made.update(model, batches)
    assert torch.equal(expected.state_dict()["tables"]["sign"]["losses"], made.state_dict()["tables"]["sign"]["losses"])


class Logits(nn.Module):
    """Answers as models of transformers do."""

    def __init__(self, kind: Callable[..., Any]) -> None:
        super().__init__()
        self.network, self.kind = network(), kind

    def forward(self, values: Tensor, extra: str) -> Any:
        return self.kind(logits=self.network(values))


@pytest.mark.parametrize("kind", [dict, SimpleNamespace])
def test_mappings_and_records_of_logits(kind: Callable[..., Any]) -> None:
    batches = [{"values": x, "extra": "text", "labels": y} for x, y in loader()]
    made = TrajectoryTracker(loss="binary", quantizers=["sign"])
    made.update(Logits(kind), batches)
    plain = TrajectoryTracker(loss="binary", quantizers=["sign"])
    plain.update(network(), loader())
    assert torch.equal(made.state_dict()["tables"]["sign"]["losses"], plain.state_dict()["tables"]["sign"]["losses"])


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        (torch.zeros(4, 6), "got Tensor"),
        ((torch.zeros(4, 6), torch.zeros(4), torch.zeros(4)), "got tuple of 3"),
        ({"x": torch.zeros(4, 6)}, "a mapping with x"),
        ({"label": torch.zeros(4), "labels": torch.zeros(4)}, "a mapping with label, labels"),
    ],
)
def test_other_batches_say_what_to_give(batch: Any, message: str) -> None:
    with pytest.raises(InputError, match=rf"{message}.*forward="):
        TrajectoryTracker(loss="binary").update(network(), [batch])


def test_a_forward_must_return_outputs_and_targets() -> None:
    made = TrajectoryTracker(loss="binary", forward=lambda model, batch: model(batch[0]))
    with pytest.raises(InputError, match=r"must return \(outputs, targets\), got Tensor"):
        made.update(network(), loader())


def test_the_limit_takes_the_first_examples_and_stops_reading() -> None:
    read = []

    def batches() -> Any:
        for batch in loader():
            read.append(1)
            yield batch

    class Again:
        def __iter__(self) -> Any:
            return batches()

    whole, limited = TrajectoryTracker(loss="binary"), TrajectoryTracker(loss="binary", validation_limit=20)
    whole.update(network(), loader())
    limited.update(network(), Again())
    assert len(read) == 2
    rows = whole.state_dict()["tables"]["sign"]["losses"][:, :20]
    assert torch.equal(limited.state_dict()["tables"]["sign"]["losses"], rows)
    assert limited.compute().n_validation == 20


@pytest.mark.parametrize("memory", [0, 3000, 2**20])
def test_memory_changes_no_number(memory: int) -> None:
    assert tracked(memory=memory).compute() == tracked().compute()


def test_large_models_take_several_passes_to_the_same_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = tracked().compute()
    monkeypatch.setattr(tracker, "AT_ONCE", 1000)
    assert tracked().compute() == expected


@pytest.mark.parametrize("cut", [0, 1, 4])
def test_it_goes_on_from_a_file(cut: int) -> None:
    model, count = network(), iter(range(6))
    whole = made = TrajectoryTracker(loss="binary")

    def look() -> None:
        nonlocal made
        if next(count) == cut:
            file = io.BytesIO()
            torch.save(whole.state_dict(), file)
            file.seek(0)
            made = TrajectoryTracker(loss="binary")
            made.load_state_dict(torch.load(file, weights_only=True))
        whole.update(model, loader())
        if made is not whole:
            made.update(model, loader())

    train(model, 6, look)
    assert made is not whole
    assert made.compute() == whole.compute()
    with pytest.raises(InputError, match="not what it was at the first pass"):
        train(model, 1, lambda: made.update(model, loader(batch_size=25)))


def test_a_state_that_names_digests_and_losses_only_still_loads() -> None:
    """As the first states of version 1 were written."""
    model = network()
    whole = tracked(model, epochs=3)
    old = whole.state_dict()
    old["tables"] = {
        spec: {"digests": list(table["digests"]), "losses": table["losses"]} for spec, table in old["tables"].items()
    }
    made = TrajectoryTracker(loss="binary")
    made.load_state_dict(old)
    assert made.elements == whole.elements
    train(model, 2, lambda: (whole.update(model, loader()), made.update(model, loader())))
    assert made.compute() == whole.compute()
    with pytest.raises(InputError, match="same settings"):
        made.load_state_dict(old | {"version": 0})


def test_a_state_of_another_tracker_is_refused() -> None:
    state = TrajectoryTracker(loss="binary", quantizers=["sign"]).state_dict()
    with pytest.raises(InputError, match="ternary:0.9.*same settings"):
        TrajectoryTracker(loss="binary", quantizers=["ternary:0.9"]).load_state_dict(state)


@pytest.mark.parametrize("memory", [300, 2**20])
def test_copies_are_independent(memory: int) -> None:
    model = network()
    made = tracked(model, epochs=2, memory=memory)
    copied, first = copy.deepcopy(made), made.compute()
    train(model, 1, lambda: copied.update(model, loader()))
    assert copied.compute().updates == 3
    assert made.compute() is first


def test_compute_on_the_way_reset_and_adopt() -> None:
    made = TrajectoryTracker(loss="binary", quantizers=["sign"])
    with pytest.raises(InputError, match="at least one update"):
        made.compute()
    model = network()
    train(model, 2, lambda: made.update(model, loader()))
    first = made.compute()
    assert made.compute() is first
    train(model, 1, lambda: made.update(model, loader()))
    assert made.compute().updates == 3
    made.reset()
    assert made.elements == {"sign": 0}
    with pytest.raises(InputError, match="at least one update"):
        made.compute()
    made.adopt(first)
    assert made.compute() is first


def test_a_model_that_diverged_is_refused_and_nothing_is_kept() -> None:
    model = network()
    made = TrajectoryTracker(loss=lambda outputs, targets: outputs[:, 0].log(), quantizers=["ternary:0.5"])
    with pytest.raises(InputError, match="quantized by ternary:0.5 has NaN losses"):
        made.update(model, loader())
    assert (made.updates, made.elements) == (0, {"ternary:0.5": 0})
    with torch.no_grad():
        model[0].weight[0, 0] = torch.nan
    with pytest.raises(InputError, match="NaN"):
        TrajectoryTracker(loss="binary").update(model, loader())


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (nn.BatchNorm1d(6), "no weight of two or more dimensions"),
        (nn.LazyLinear(1), "not a plain tensor"),
        (nn.Identity(), "no weight of two or more dimensions"),
    ],
)
@pytest.mark.filterwarnings("ignore:Lazy modules")
def test_models_that_cannot_be_tracked(model: nn.Module, message: str) -> None:
    with pytest.raises(InputError, match=message):
        TrajectoryTracker(loss="binary").update(model, loader())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"quantizers": ["identity"]}, "no r_Q; name at least one"),
        ({"quantizers": []}, "no r_Q; name at least one"),
        ({"unquantized_dtype": "float32"}, "unquantized_dtype must be bfloat16 or float16, got 'float32'"),
        ({"validation_limit": 0}, "validation_limit must be at least 1"),
        ({"quantizers": ["sing"]}, "Did you mean 'sign'"),
    ],
)
def test_settings_that_cannot_be_used(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        TrajectoryTracker(**({"loss": "binary"} | settings))


@pytest.mark.parametrize("kind", [Tensor.to_sparse, Tensor.to_sparse_csr])
@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support:UserWarning")
def test_sparse_batches_give_the_rates_of_dense_ones(kind: Callable[[Tensor], Tensor]) -> None:
    features, targets = data()[:]
    dense, sparse = (TrajectoryTracker(loss="binary", quantizers=DISCRETE) for _ in range(2))
    model = nn.Linear(6, 1)
    for _ in range(3):
        with torch.no_grad():
            model.weight += torch.randn(1, 6, generator=torch.Generator().manual_seed(3))
        dense.update(model, [(features, targets)])
        sparse.update(model, [(kind(features), targets)])
    assert dense.elements == sparse.elements
    for spec, rates in dense.compute().to_dict().items():
        assert sparse.compute().to_dict()[spec] == pytest.approx(rates, nan_ok=True)


def test_complex_weights_are_refused_by_name_also_beside_real_ones() -> None:
    model = nn.Sequential(nn.Linear(6, 2), nn.Linear(2, 1, dtype=torch.complex64))
    with pytest.raises(InputError, match=r"Parameter '1.weight' is complex.*torch.view_as_real"):
        TrajectoryTracker(loss="binary").update(model, loader())


def test_a_float64_model_may_be_given_float32_batches() -> None:
    features, targets = data()[:]

    def rates(inputs: Tensor) -> TrackedRates:
        model, watch = network(), TrajectoryTracker(loss="binary", quantizers=DISCRETE)
        train(model, 3, lambda: watch.update(copy.deepcopy(model).double(), [(inputs, targets)]))
        return watch.compute()

    assert rates(features) == rates(features.double())
