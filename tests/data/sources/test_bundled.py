import numpy as np
import pytest
from sklearn import datasets

from quantleak.data import available, bundled
from quantleak.errors import InputError

SHAPES = {
    "breast_cancer": ("binary", (569, 30)),
    "digits": ("multiclass", (1797, 64)),
    "wine": ("multiclass", (178, 13)),
    "diabetes": ("regression", (442, 10)),
}


@pytest.mark.parametrize("name", available())
def test_size_task_and_scale(name):
    dataset = bundled(name)
    encoded = dataset.encode(np.arange(len(dataset)))
    assert (dataset.task, encoded.shape) == SHAPES[name]
    assert len(dataset.provenance.columns) == encoded.shape[1]
    if name == "digits":
        assert (encoded.min(), encoded.max()) == (0, 1)
    else:
        np.testing.assert_allclose(encoded.std(axis=0), 1, rtol=1e-4)


def test_targets_are_those_of_scikit_learn_with_their_names():
    ours, theirs = bundled("breast_cancer"), datasets.load_breast_cancer()
    assert ours.targets.tolist() == theirs.target.tolist()
    assert ours.classes == ("malignant", "benign")
    assert bundled("digits").classes == tuple("0123456789")


def test_diabetes_is_raw_so_that_scaling_sees_the_population_only():
    assert bundled("diabetes").features.numeric[:, 0].max() == 79


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(InputError, match=r"Unknown data set 'digit'\. Did you mean 'digits'\?"):
        bundled("digit")
