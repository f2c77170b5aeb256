"""Networks: the named ones and a user's function."""

from quantleak.models.network import MODELS as MODELS
from quantleak.models.network import Network as Network
from quantleak.models.network import network as network
