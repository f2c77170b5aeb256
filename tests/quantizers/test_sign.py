import torch

from quantleak.quantizers import Sign


def test_zero_of_either_sign_is_positive():
    assert Sign()(torch.tensor([-2.0, -0.0, 0.0, 1e-45])).tolist() == [-1, 1, 1, 1]
