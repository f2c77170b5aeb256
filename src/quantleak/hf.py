"""The Hugging Face callback, under the name that users import; see `quantleak.integrations.hf`."""

from quantleak.integrations.hf import QuantizationPrivacyCallback as QuantizationPrivacyCallback
