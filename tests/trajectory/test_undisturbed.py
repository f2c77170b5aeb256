"""A sweep over kinds of modules: an update, also one that fails, leaves every bit that the module reaches as it was."""

from __future__ import annotations

import copy
import random
import warnings
from array import array
from collections import deque
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize, prune
from torch.utils.data import DataLoader, TensorDataset

from quantleak.quantizers import quantizer
from quantleak.trajectory import TrajectoryTracker

WIDTH = 6


pytestmark = pytest.mark.filterwarnings("ignore:Sparse CSR tensor support")


def loader() -> DataLoader[Any]:
    drawn = torch.Generator().manual_seed(0)
    features, targets = torch.randn(24, WIDTH, generator=drawn), torch.randint(0, 2, (24,), generator=drawn)
    return DataLoader(TensorDataset(features, targets), batch_size=12)


def tracker(**settings: Any) -> TrajectoryTracker:
    return TrajectoryTracker(**({"loss": "binary", "quantizers": ["sign", "uniform:3"]} | settings))


class Sequence(nn.Module):
    """A layer over sequences, with the six features as three steps of two."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer, self.head = layer, nn.Linear(4, 1)

    def forward(self, x: Tensor) -> Tensor:
        steps = x.reshape(-1, 3, 2)
        if isinstance(self.layer, nn.MultiheadAttention):
            steps = steps.repeat(1, 1, 2)
            return self.head(self.layer(steps, steps, steps)[0][:, -1])
        return self.head(self.layer(steps)[0][:, -1])


class Plain(nn.Module):
    """A linear model with state of its own, which `seen` changes in every forward pass."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(WIDTH, 1)
        self.made()

    def made(self) -> None:
        """What the constructor adds."""

    def seen(self, x: Tensor) -> Any:
        """What a forward pass does beside; returns what to add to the logits."""

    def forward(self, x: Tensor) -> Tensor:
        beside = self.seen(x.detach())
        out: Tensor = self.linear(x)
        return out if beside is None else out + beside


class Counts(Plain):
    def made(self) -> None:
        self.register_buffer("total", torch.zeros(WIDTH))
        self.calls, self.plain = 0, torch.zeros(WIDTH)

    def seen(self, x: Tensor) -> Any:
        self.calls += 1
        self.total += x.sum(0)
        self.plain += x.sum(0)
        return 0.01 * self.calls + 0.01 * self.plain.sum()


class Slotted:
    __slots__ = ("keys", "later")

    def __init__(self) -> None:
        self.keys: list[Tensor] = []


class Caches(Plain):
    """The last inputs, as attention keeps keys and values, in containers of every kind."""

    def made(self) -> None:
        self.list: list[Any] = [torch.zeros(2)]
        self.dict: dict[str, Any] = {"nested": {"last": [torch.zeros(WIDTH)]}}
        self.deque: deque[Tensor] = deque(maxlen=2)
        self.set: set[int] = {1}
        self.object, self.slotted, self.empty = (
            SimpleNamespace(keys=[], value=torch.ones(2)),
            Slotted(),
            SimpleNamespace(),
        )
        self.array, self.bytes, self.numpy = array("d", [0.0]), bytearray(b"a"), np.zeros(WIDTH)

    def seen(self, x: Tensor) -> Any:
        known = len(self.list) + len(self.deque) + len(self.slotted.keys) + len(self.array)
        self.list.append(self.linear.weight)
        self.list[0].add_(1)
        self.dict["nested"]["last"][0].copy_(x[0])
        self.dict.setdefault("more", []).append(x)
        self.deque.append(x)
        self.set.add(2)
        self.object.keys.append(x)
        self.object.value = self.object.value * 2
        self.slotted.keys.append(x)
        self.slotted.later = x
        self.empty.cache = x
        self.array.append(1.0)
        self.bytes.append(1)
        self.numpy += x.sum(0).numpy()
        return 0.01 * known


class Draws(Plain):
    """Noise in evaluation mode too, from generators of the module's own and from the global ones."""

    def made(self) -> None:
        self.torch_, self.python = torch.Generator().manual_seed(1), random.Random(1)
        self.numpy, self.legacy = np.random.default_rng(1), np.random.RandomState(1)

    def seen(self, x: Tensor) -> Any:
        own = torch.randn(len(x), 1, generator=self.torch_) + self.python.random() + self.numpy.random()
        return own + self.legacy.rand() + torch.rand(1) + random.random() + np.random.rand()


class Shared(Plain):
    """Two submodules with one memory, one of them behind a list and so not registered."""

    def made(self) -> None:
        self.one, self.two = Counts(), Counts()
        self.two.plain = self.one.plain
        self.hidden = [nn.BatchNorm1d(WIDTH), self.one]

    def seen(self, x: Tensor) -> Any:
        return self.one(x) + self.two(x) + self.hidden[0](x).sum(1, keepdim=True).detach()


class Teacher(Plain):
    """A moving average of the weights, updated in the forward pass."""

    def made(self) -> None:
        self.teacher = copy.deepcopy(self.linear).requires_grad_(False)
        self.outside = [copy.deepcopy(self.linear).requires_grad_(False)]
        self.pairs = list(zip(self.teacher.parameters(), self.linear.parameters(), strict=True))

    @torch.no_grad()
    def seen(self, x: Tensor) -> Any:
        for mine, theirs in [*self.pairs, *zip(self.outside[0].parameters(), self.linear.parameters(), strict=True)]:
            mine.data = mine.data * 0.9 + theirs.data * 0.1
            mine.mul_(1.01)
        return self.teacher(x) + self.outside[0](x)


class Restless(Plain):
    """A module that changes itself: flags, gradients, hooks, submodules, memory, modes, global switches."""

    def made(self) -> None:
        self.plain = torch.ones(4, requires_grad=True)
        self.plain.grad = torch.ones(4)
        self.wide, self.bare = torch.arange(6.0).reshape(2, 3), torch.ones(2)

    def seen(self, x: Tensor) -> Any:
        if not self.training:
            self.plain.requires_grad_(False)
            self.plain.grad.add_(1)
            self.plain.grad = None
            self.plain.mark = "a new attribute"
            self.wide.t_().mul_(2)
            self.bare.data = torch.zeros(3)
            self.register_forward_hook(lambda module, inputs, output: output * 1.5)
            self.register_buffer("late", torch.ones(1))
            self.later = nn.Linear(2, 2)
            self.linear.weight.requires_grad_(True)
            self.train()
            del self.bare
            torch.set_grad_enabled(True)


class Lazy(Plain):
    """Values computed once: by `cached_property`, by a distribution, by hand."""

    def made(self) -> None:
        self.by_hand: Tensor | None = None
        self.normal = torch.distributions.MultivariateNormal(torch.zeros(2), scale_tril=torch.eye(2))

    @cached_property
    def once(self) -> Tensor:
        return self.linear.weight.detach() * 2

    def seen(self, x: Tensor) -> Any:
        if self.training:
            self.by_hand = None
            return None
        if self.by_hand is None:
            self.by_hand = self.linear.weight * 2
        return x @ self.by_hand.T + x @ self.once.T + self.normal.covariance_matrix.sum()


class Layouts(Plain):
    """Tensors that are not plain: sparse, complex, quantized, expanded, without numbers."""

    def made(self) -> None:
        self.coo, self.csr = torch.eye(WIDTH).to_sparse(), torch.eye(WIDTH).to_sparse_csr()
        self.complex, self.expanded = torch.ones(2, dtype=torch.complex64), torch.ones(1).expand(3)
        self.meta, self.half = torch.ones(2, device="meta"), torch.ones(3, dtype=torch.bfloat16)

    def seen(self, x: Tensor) -> Any:
        self.coo._values().mul_(2)
        self.csr.values().mul_(2)
        self.complex.mul_(1j)
        self.half[0] = torch.nan


class Hooked(Plain):
    """A hook that is an object with state."""

    class Hook:
        def __init__(self) -> None:
            self.calls, self.last = 0, torch.zeros(1)

        def __call__(self, module: nn.Module, inputs: Any, output: Tensor) -> Tensor:
            self.calls, self.last = self.calls + 1, output.detach()
            return output + 0.01 * self.calls

    def made(self) -> None:
        self.linear.register_forward_hook(Hooked.Hook())


class Tied(Plain):
    def made(self) -> None:
        self.below, self.above = nn.Linear(WIDTH, WIDTH, bias=False), nn.Linear(WIDTH, WIDTH, bias=False)
        self.above.weight = self.below.weight
        self.view = self.below.weight.data[0]

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.above(self.below(x)))


class Words(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words, self.head = nn.Embedding(9, 4, max_norm=0.5), nn.Linear(4, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.words((x.abs() * 3).long().clamp(max=8)).mean(1))


def stack(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Linear(WIDTH, 8), *layers, nn.Linear(8, 1))


def pruned(*methods: Callable[..., object]) -> nn.Module:
    model = stack(nn.ReLU())
    for method in methods:
        method(model[0], "weight", amount=0.2)
    return model


def normed(kind: Callable[..., nn.Module], layer: nn.Module | None = None, **settings: Any) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # the old style is deprecated, and used
        return stack(kind(layer or nn.Linear(8, 8), **settings), nn.Tanh())


KINDS: dict[str, Callable[[], nn.Module]] = {
    "linear": lambda: stack(nn.ReLU(), nn.Dropout(0.3)),
    "batch norm": lambda: stack(nn.BatchNorm1d(8), nn.ReLU()),
    "layer norm": lambda: stack(nn.LayerNorm(8)),
    "group norm": lambda: stack(nn.GroupNorm(2, 8)),
    "convolution": lambda: nn.Sequential(
        nn.Unflatten(1, (1, WIDTH)), nn.Conv1d(1, 2, 3), nn.Flatten(), nn.Linear(8, 1)
    ),
    "embedding": Words,
    "LSTM": lambda: Sequence(nn.LSTM(2, 4, batch_first=True)),
    "GRU": lambda: Sequence(nn.GRU(2, 4, batch_first=True, num_layers=2)),
    "attention": lambda: Sequence(nn.MultiheadAttention(4, 2, batch_first=True)),
    "pruned": lambda: pruned(prune.l1_unstructured),
    "pruned twice": lambda: pruned(prune.l1_unstructured, prune.random_unstructured),
    "weight norm, old": lambda: normed(nn.utils.weight_norm),
    "weight norm of an LSTM": lambda: Sequence(
        normed(nn.utils.weight_norm, nn.LSTM(2, 4, batch_first=True), name="weight_hh_l0")[1]
    ),
    "spectral norm, old": lambda: normed(nn.utils.spectral_norm),
    "weight norm": lambda: normed(parametrizations.weight_norm),
    "spectral norm": lambda: normed(parametrizations.spectral_norm),
    "orthogonal": lambda: normed(parametrizations.orthogonal),
    **{kind.__name__: kind for kind in (Counts, Caches, Draws, Shared, Teacher, Restless, Lazy, Layouts, Hooked, Tied)},
}


@pytest.fixture(params=KINDS)
def model(request: pytest.FixtureRequest) -> nn.Module:
    """A module of each kind, in the middle of its training."""
    return made(request.param)


def made(kind: str) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0), np.random.seed(0), random.seed(0)
        model = KINDS[kind]()
        for features, _ in loader():  # gradients are there, and derived tensors are part of a graph
            model(features).square().mean().backward()
    return model


def fingerprint(value: Any, seen: dict[int, Any]) -> Any:
    """The oracle: all that attributes lead to, with the identity of every object, as plain nested tuples."""
    if isinstance(value, int | float | str | bytes | type(None)):
        return repr(value)
    if id(value) in seen:
        return id(value)
    seen[id(value)] = value
    inside: Any = ()
    if isinstance(value, Tensor):
        inside = [str((value.dtype, value.shape, value.requires_grad, value.layout)), *vars(value).items()]
        inside += [value.grad] if value.is_leaf else []
        if value.layout == torch.strided and not value.is_meta:
            inside += [value.data_ptr(), bytes(value.detach().clone().contiguous().view(-1).view(torch.uint8).numpy())]
        elif not value.is_meta:
            return id(value), repr(value.to_dense().tolist())
    elif isinstance(value, torch.Generator):
        inside = [bytes(value.get_state().numpy())]
    elif isinstance(value, random.Random):
        inside = [str(value.getstate())]
    elif isinstance(value, np.random.Generator):
        inside = [str(value.bit_generator.state)]
    elif isinstance(value, np.random.RandomState):
        inside = [str(value.get_state())]
    elif isinstance(value, np.ndarray):
        inside = [value.tobytes()]
    elif isinstance(value, Slotted):
        inside = [value.keys, getattr(value, "later", None)]
    elif isinstance(value, dict):
        inside = [part for item in value.items() for part in item]
    elif isinstance(value, list | tuple | set | deque | array | bytearray):
        inside = list(value)
    if isinstance(value, nn.Module | Hooked.Hook) or (hasattr(value, "__dict__") and not callable(value)):
        inside = [*inside, *(part for item in vars(value).items() for part in item)]
    return id(value), type(value).__name__, tuple(fingerprint(item, seen) for item in inside)


def everything(model: nn.Module, seen: dict[int, Any]) -> Any:
    around = [random.getstate(), str(np.random.get_state()), bytes(torch.get_rng_state().numpy())]
    switches = [torch.is_grad_enabled(), torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu")]
    return fingerprint(model, seen), str(around), str(switches)


def test_nothing_is_disturbed(model: nn.Module) -> None:
    alive: list[dict[int, Any]] = [{}, {}]
    looks = tracker()  # beartype draws when it checks the list of quantizers
    before = everything(model, alive[0])
    looks.update(model, loader())
    assert everything(model, alive[1]) == before


class Failing:
    """A loader that fails at its second batch."""

    def __iter__(self) -> Iterator[Any]:
        yield next(iter(loader()))
        raise OSError("the disk is gone")


@pytest.mark.parametrize("where", ["loss", "loader", "forward"])
def test_nothing_is_disturbed_when_it_fails(model: nn.Module, where: str) -> None:
    calls = []

    def fails(outputs: Tensor, targets: Tensor) -> Tensor:
        calls.append(1)
        if where == "loss" and len(calls) == 2:
            raise OSError("the disk is gone")
        return outputs[:, 0]

    def forward(model: nn.Module, batch: Any) -> Any:
        if where == "forward" and len(calls) == 2:
            next(iter(model.modules())).train()
            model(batch[0][:2])
            raise OSError("the disk is gone")
        return model(batch[0]), batch[1]

    alive: list[dict[int, Any]] = [{}, {}]
    looks = tracker(loss=fails, forward=forward)
    before = everything(model, alive[0])
    with pytest.raises(OSError, match="the disk is gone"):
        looks.update(model, Failing() if where == "loader" else loader())
    assert everything(model, alive[1]) == before


@pytest.mark.parametrize("kind", KINDS)
def test_training_ends_at_the_same_weights(kind: str) -> None:
    """With a tracker and without; gradients pile up over epochs, so that those of an update would be seen."""
    ends = []
    for look in (tracker().update, lambda *_: None):
        model = made(kind)
        torch.manual_seed(1), np.random.seed(1), random.seed(1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
        for _ in range(3):
            for features, targets in loader():
                loss = nn.functional.binary_cross_entropy_with_logits(model(features)[:, 0], targets.float())
                loss.backward()
                optimizer.step()
            look(model, loader())
        ends.append(model.state_dict())
    for name, tensor in ends[0].items():
        assert torch.equal(tensor, ends[1][name]), name


def test_iterative_pruning_keeps_the_same_entries() -> None:
    masks = []
    for look in (tracker().update, lambda *_: None):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(WIDTH, 32), nn.Tanh(), nn.Linear(32, 1))
        optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
        for _ in range(4):
            prune.l1_unstructured(model[0], "weight", amount=0.2)
            for features, targets in loader():
                optimizer.zero_grad()
                nn.functional.binary_cross_entropy_with_logits(model(features)[:, 0], targets.float()).backward()
                optimizer.step()
            look(model, loader())
        masks.append(model[0].weight_mask)
    assert masks[0].numel() == 192
    assert torch.equal(*masks)


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer, self.head = nn.LSTM(2, 4), nn.Linear(4, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.layer(x.reshape(3, -1, 2))[0][-1])


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_a_recurrent_layer_is_exported_with_its_own_weights() -> None:
    model, (features, _) = Recurrent(), next(iter(loader()))
    expected = model(features)
    tracker().update(model, loader())
    exported = torch.jit.script(model)
    with torch.no_grad():
        assert torch.equal(exported(features), expected)
        assert all(
            weight is own for weight, own in zip(model.layer._flat_weights, model.layer.parameters(), strict=True)
        )


def test_cached_parametrizations_are_neither_used_nor_left() -> None:
    model = made("weight norm")
    layer, used = model[1], []

    def forward(model: nn.Module, batch: Any) -> Any:
        used.append(model[1].weight.detach().clone())
        return model(batch[0]), batch[1]

    plain = tracker()
    plain.update(model, loader())
    inside = tracker(forward=forward)
    with parametrize.cached():
        own = layer.weight
        inside.update(model, loader())
        assert layer.weight is own
    assert not any(torch.equal(weight, own) for weight in used)
    assert not parametrize._cache_enabled
    for spec in inside.quantizers:
        losses = [made.state_dict()["tables"][spec]["losses"] for made in (plain, inside)]
        assert torch.equal(*losses)


def test_an_element_does_not_see_what_another_cached() -> None:
    """`Lazy` computes with what it cached in evaluation mode: alone or beside another, the losses are the same."""
    both, alone = tracker(), tracker(quantizers=["uniform:3"])
    for made_one in (both, alone):
        made_one.update(made("Lazy"), loader())
    rows = [one.state_dict()["tables"]["uniform:3"]["losses"] for one in (both, alone)]
    assert torch.equal(*rows)


def test_it_looks_at_the_quantized_weight_where_a_hook_derives_it() -> None:
    model, used = made("pruned"), []

    def forward(model: nn.Module, batch: Any) -> Any:
        out = model(batch[0])
        used.append(model[0].weight)
        return out, batch[1]

    tracker(quantizers=["sign"], forward=forward).update(model, loader())
    assert torch.equal(used[0], quantizer("sign")(model[0].weight_orig.detach()) * model[0].weight_mask)


def test_memory_that_grew_is_as_it_was() -> None:
    model = made("linear")
    model.grown, model.nothing = torch.arange(6.0), torch.empty(0)

    def forward(model: nn.Module, batch: Any) -> Any:
        model.grown.resize_(40).fill_(1)
        model.nothing.resize_(3).fill_(1)
        return model(batch[0]), batch[1]

    tracker(forward=forward).update(model, loader())
    assert model.grown.tolist() == [0, 1, 2, 3, 4, 5]
    assert model.nothing.tolist() == []


def test_numbers_mapped_from_a_file_that_only_may_be_read(tmp_path: Path) -> None:
    """To write them, even what they are, would end the process."""
    np.save(tmp_path / "scale.npy", np.array([1.5, 2.5], dtype=np.float32))
    model = nn.Linear(2, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the array is not writable, which is the point
        model.register_buffer("scale", torch.from_numpy(np.load(tmp_path / "scale.npy", mmap_mode="r")))
    tracker = TrajectoryTracker(loss="binary", quantizers=["sign"])
    tracker.update(model, [(torch.eye(2), torch.tensor([0, 1]))])
    assert model.scale.tolist() == [1.5, 2.5]


def test_what_is_around_the_model_is_left_alone() -> None:
    """A trainer to which a module points back, an optimizer, an open queue: neither copied nor set back."""
    import queue

    model = made("linear")
    model.queue, model.optimizer = queue.Queue(), torch.optim.Adam(model.parameters())

    def forward(model: nn.Module, batch: Any) -> Any:
        model.queue.put(1)
        return model(batch[0]), batch[1]

    tracker(forward=forward).update(model, loader())
    assert model.queue.qsize() == 4
