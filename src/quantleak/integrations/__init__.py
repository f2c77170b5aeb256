"""The tracker inside Lightning and Hugging Face, and scikit-learn perceptrons as modules."""
