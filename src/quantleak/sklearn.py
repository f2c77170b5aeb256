"""scikit-learn perceptrons as torch modules, under the name that users import; see `quantleak.integrations.sklearn`."""

from quantleak.integrations.sklearn import Perceptron as Perceptron
from quantleak.integrations.sklearn import from_sklearn as from_sklearn
