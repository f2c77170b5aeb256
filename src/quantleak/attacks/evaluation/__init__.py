"""What scores are worth: ROC curves, rates with intervals, the strongest of several attacks."""
