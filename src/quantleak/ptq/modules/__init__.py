"""What quantization must know of modules: weights, how inputs meet them, blocks, norms, the order of execution."""

from quantleak.ptq.modules.batchnorm import fold as fold
from quantleak.ptq.modules.batchnorm import fold_like as fold_like
from quantleak.ptq.modules.batchnorm import retune as retune
from quantleak.ptq.modules.blocks import blocks_of as blocks_of
from quantleak.ptq.modules.blocks import register_block as register_block
from quantleak.ptq.modules.trace import head_of as head_of
from quantleak.ptq.modules.unfold import chunks as chunks
from quantleak.ptq.modules.unfold import columns as columns
from quantleak.ptq.modules.unfold import rows as rows
from quantleak.ptq.modules.walk import walk as walk
from quantleak.ptq.modules.weights import Weight as Weight
from quantleak.ptq.modules.weights import weights_of as weights_of
