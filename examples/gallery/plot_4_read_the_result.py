"""
Read the report
===============

What an audit says, figure by figure, and what each figure does not say. The page ``report.html`` shows the same in the
same order.
"""

# %%
import quantleak as ql

result = ql.audit(
    ql.bundled("breast_cancer"),
    model="mlp:64",
    quantizers=("sign", "ternary:0.9", "uniform:5"),
    models=12,
    epochs=20,
    workers=1,
)
result

# %%
# **Which one to ship.** The quantizer with the lowest upper limit of leakage among those that keep utility, and
# whether that is clear. With so few models it rarely is.
print(result.recommended.quantizer, "| clear:", result.recommended.clear)
print(result.recommended.reason)

# %%
# **Leakage.** The strongest attack, chosen on half of the targets and measured on the other half. `fpr` says at which
# rate of false alarms; None means that this pool supports none, and that the figure is the AUC.
for quantizer in result.quantizers:
    worst = quantizer.worst
    print(f"{quantizer.spec:12} {worst.text():24} by {worst.name} ({worst.mode}) at FPR {worst.fpr}")

# %%
# **Against the original**: paired, model by model, so that much of the noise cancels. If the interval holds 0, these
# data cannot distinguish the two.
for spec in ("sign", "ternary:0.9", "uniform:5"):
    difference = result[spec].versus_original
    print(f"{spec:12} leakage {difference['worst'].text():26} utility {difference['utility'].text()}")

# %%
# **r_Q** speaks of all attacks at once, but only if it is resolved: below z = 2 the best quantized model that training
# passed through cannot be distinguished from its closest competitor on this many validation examples. It does not rank
# the quantizers of perceptrons (see the study); fidelity, the correlation of quantized and original outputs, does.
for spec in ("sign", "ternary:0.9", "uniform:5"):
    rate, fidelity = result[spec].rate, result[spec].fidelity
    print(f"{spec:12} r_Q {rate.text(4):30} z {rate.resolution:.1f}   fidelity {fidelity.text(3)}")

# %%
# **Every attack in every mode**, tidy. An attacker whose shadow models keep full precision (`transfer`) often looks
# weak against coarse quantizers; that is his mistake and not privacy. Judge by the strongest row.
frame = result.to_frame()
auc = frame[(frame.metric == "auc") & (frame.quantizer == "sign")]
auc.pivot(index="attack", columns="mode", values="value").round(3)

# %%
# **What it does not say.** These are averages over a fleet and an attacker with these shadow models. A low figure is
# no proof, and your one shipped model is not the mean of the fleet.
