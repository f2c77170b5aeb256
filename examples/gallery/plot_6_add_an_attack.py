"""
Add an attack
=============

A function of signals, checked by the suite that ours pass, then compared with LiRA on a fleet whose truth is known.
"""

# %%
# The idea to try: rank the target's signal among those of the OUT shadows. The share of shadows below it is an
# estimate of how unusual it is that needs no Gaussian. `use` says which shadows may be read: their number must not
# reveal the target's own membership.
import numpy as np

import quantleak as ql
from quantleak.attacks import NamedAttack, compare, evaluate
from quantleak.errors import InputError
from quantleak.testing import check_attack


def share_below(target, shadows, member, *, use):
    """Share of OUT shadows with a lower signal, ties at one half."""
    if not (np.isfinite(target).all() and np.isfinite(shadows).all()):
        raise InputError("rank: signals must be finite.")
    outside = use & ~member
    below = (shadows < target) + 0.5 * (shadows == target)
    return (below * outside).sum(axis=0) / outside.sum(axis=0)


rank = NamedAttack(name="rank", description="share of OUT shadows below the target", score=share_below)

# %%
# Is it the right way up, blind where there is nothing to see, and does it score each example for itself?
check_attack(rank)

# %%
# Against offline LiRA, on 16 models whose members' log odds are raised by 1. The rank takes few values with few
# shadows, which costs it the low false-positive rates; the paired comparison says how sure that is.
rng = np.random.default_rng(0)
member = rng.random((16, 1000)).argsort(axis=0) < 8
signals = rng.normal(0, 3, 1000) + member + rng.normal(size=member.shape)


def offline(target, shadows, member, *, use):
    """LiRA with OUT shadows only."""
    return ql.lira(target, shadows, member, use=use, convention=ql.LiRA(mode="offline"))


scores = {
    name: ql.leave_one_out(attack, signals, signals, member) for name, attack in [("rank", rank), ("lira", offline)]
}
measured = {name: evaluate(values, member) for name, values in scores.items()}
for name, metrics in measured.items():
    print(f"{name:5} AUC {metrics.auc.value:.3f}, TPR at 1% FPR {metrics.tpr[0.01].value:.3f}")
print(compare(measured["rank"], measured["lira"]).auc)

# %%
# In a package of your own, the entry point ``rank = "my_package.rank:rank"`` in the group ``quantleak.attacks`` brings
# it into every audit that names it: ``quantleak audit ... --set extra_attacks=rank``.
