"""Evaluation of membership scores: ROC curves, rates with intervals, the strongest of several attacks."""
