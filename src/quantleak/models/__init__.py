"""Networks: named architectures, and a function of the user's."""

from quantleak.models.architectures import Architecture as Architecture
from quantleak.models.architectures import register as register
from quantleak.models.choose import available as available
from quantleak.models.choose import network as network
from quantleak.models.convolution import convolution as convolution
from quantleak.models.network import Network as Network
from quantleak.models.residual import BasicBlock as BasicBlock
from quantleak.models.residual import resnet as resnet
from quantleak.models.views import FLIP as FLIP
from quantleak.models.views import IDENTITY as IDENTITY
from quantleak.models.views import View as View
from quantleak.models.views import require_images as require_images
from quantleak.models.views import view as view
