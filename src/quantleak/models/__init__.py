"""Networks: named architectures, and a function of the user's."""

from quantleak.models.architectures import Architecture as Architecture
from quantleak.models.architectures import register as register
from quantleak.models.choose import available as available
from quantleak.models.choose import network as network
from quantleak.models.network import Network as Network
