"""What can be wrong with a request is found before anything is trained, and reported at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantleak.errors import InputError
from quantleak.requests.describe import describe, description
from quantleak.requests.prepare import prepare


def test_a_good_request_gives_its_plan() -> None:
    prepared = prepare({"dataset": "wine", "out": "o", "models": 4, "model": "linear"})
    plan = prepared.plan()
    assert description(plan)["model"] == {"spec": "linear", "inputs": [13], "outputs": 3, "parameters": 42}
    assert "4 x linear (13 -> 3, 42 parameters)" in describe(plan)


@pytest.mark.parametrize(
    ("given", "messages"),
    [
        (
            {"dataset": "brest_cancer", "model": "mpl:8", "device": "cuda:77", "modles": 3, "epochs": 0},
            ["modles: unknown setting. Did you mean 'models'", "epochs: must be at least 1", "Where should the",
             "Did you mean 'breast_cancer'", "Did you mean 'mlp'", "Device 'cuda:77' cannot be used"],
        ),
        (
            {"dataset": "wine", "out": "o", "model": "mlp:8?bias=maybe", "workers": 0, "target": 3},
            ["'bias' must be true or false", "workers: ", "target: "],
        ),
        ({"dataset": "wine", "out": "o", "model": "no.such:module"}, ["cannot import 'no.such'"]),
        ({"data": "{folder}/few.csv", "target": "y", "out": "o", "device": "abacus"}, ["Too few examples", "abacus"]),
    ],
)  # fmt: skip
def test_all_problems_are_told_at_once(tmp_path: Path, given: dict[str, str], messages: list[str]) -> None:
    (tmp_path / "few.csv").write_text("x,y\n" + "".join(f"{row},{row % 2}\n" for row in range(12)))
    given = {name: value.format(folder=tmp_path) if isinstance(value, str) else value for name, value in given.items()}
    with pytest.raises(InputError) as told:
        prepare(given)
    for message in messages:
        assert message in str(told.value)
    if len(messages) > 1:
        assert str(told.value).count("\n- ") == len(messages)


def test_where_results_go_need_not_be_said_to_be_checked() -> None:
    with pytest.raises(InputError, match="Where should the results go"):
        prepare({"dataset": "wine"})
    assert prepare({"dataset": "wine"}, out=False).request.out is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"images": "digits", "schedule": "cosin"}, "schedule: must be constant or cosine, got 'cosin'. Did you mean"),
        ({"images": "nowhere"}, "There is no folder 'nowhere'"),
        ({"images": "digits", "queries": "flop"}, "Unknown query 'flop'. Did you mean 'flip'"),
    ],
)
def test_of_images_nothing_is_reported_but_what_is_wrong(given: dict[str, str], message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        prepare({**given, "out": tmp_path})
    assert message in str(caught.value)
    assert "problems:" not in str(caught.value)


def test_images_are_audited_with_a_network_for_images() -> None:
    assert prepare({"images": "digits"}, out=False).request.settings.model == "resnet:8"
    assert prepare({"images": "digits", "model": "conv:4"}, out=False).request.settings.model == "conv:4"
