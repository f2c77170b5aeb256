"""The Lightning callback and wrapper, under the name that users import; see `quantleak.integrations.lightning`."""

from quantleak.integrations.lightning import QuantizationPrivacyCallback as QuantizationPrivacyCallback
from quantleak.integrations.lightning import QuantizationPrivacyWrapper as QuantizationPrivacyWrapper
