"""Networks: the named ones, a user's function, and how the tensors of a module lie in one flat vector."""

from quantleak.models.layout import Layout as Layout
from quantleak.models.network import MODELS as MODELS
from quantleak.models.network import Network as Network
from quantleak.models.network import network as network
