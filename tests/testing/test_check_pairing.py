"""The suite passes both pairings and finds each fault that one can build in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from quantleak.attacks import Apart, LeaveOneOut, Signals
from quantleak.testing import check_pairing


def signals(fleet, rows=slice(None)) -> Signals:
    return Signals(pool=fleet.pool[rows], population=fleet.population[rows])


def by_leave_one_out(fleet):
    return LeaveOneOut(member=fleet.member, seed=0), signals(fleet), signals(fleet)


def apart(fleet, targets: int = 1, kind: type[Apart] = Apart):
    own, others = slice(targets), slice(targets, None)
    pairing = kind(member=fleet.member[own], shadows_member=fleet.member[others], seed=0)
    return pairing, signals(fleet, own), signals(fleet, others)


def test_leave_one_out_passes() -> None:
    check_pairing(by_leave_one_out)


@pytest.mark.parametrize("targets", [1, 4])
def test_targets_apart_from_their_shadows_pass(targets: int) -> None:
    check_pairing(lambda fleet: apart(fleet, targets))


@dataclass(frozen=True, kw_only=True, eq=False)
class AllShadows(Apart):
    """Reads every shadow of every example: of an exact design their number tells the target's membership."""

    @property
    def _use(self) -> np.ndarray:
        return np.ones_like(self.shadows_member)


@dataclass(frozen=True, kw_only=True, eq=False)
class UpsideDown(Apart):
    def scores(self, attack, targets, shadows):
        return -super().scores(attack, targets, shadows)


@dataclass(frozen=True, kw_only=True, eq=False)
class OneRow(Apart):
    def scores(self, attack, targets, shadows):
        return super().scores(attack, targets, shadows)[0]


@dataclass(frozen=True, kw_only=True, eq=False)
class NoPopulationNeeded(Apart):
    def scores(self, attack, targets, shadows):
        return super().scores(attack, signals_with_population(targets), shadows)


@dataclass(frozen=True, kw_only=True, eq=False)
class NotMapped(Apart):
    def recalibrated(self, targets, shadows):
        return targets


def signals_with_population(targets: Signals) -> Signals:
    if targets.population is not None:
        return targets
    return Signals(pool=targets.pool, population=np.zeros((len(targets.pool), 200)))


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (AllShadows, "the number of IN shadows has AUC"),
        (UpsideDown, "finds nothing"),
        (OneRow, "must be of one shape"),
        (NoPopulationNeeded, "must be refused without one"),
        (NotMapped, "not mapped back"),
    ],
)
def test_a_faulty_pairing_is_told_what_is_wrong(kind: type[Apart], said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        check_pairing(lambda fleet: apart(fleet, kind=kind))


def test_a_target_among_its_own_shadows_is_found() -> None:
    def among(fleet):
        pairing = Apart(member=fleet.member[:1], shadows_member=fleet.member, seed=0)
        return pairing, signals(fleet, slice(1)), signals(fleet)

    with pytest.raises(AssertionError, match="among its own shadows"):
        check_pairing(among)
