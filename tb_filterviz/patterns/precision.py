"""In which precision a climb computes: float32, or bfloat16 where the processor is several times as fast in it.

Pictures that were climbed in bfloat16 are measured on the model as it is.
"""

from __future__ import annotations

import functools
import os
import pathlib
from typing import Any

import tensorflow as tf

from tb_filterviz.patterns.recipes import Recipe

_FAST = {"amx_bf16", "avx512_bf16"}
"""What Linux calls the instructions that multiply matrices and vectors of bfloat16."""


@functools.cache
def is_fast(cpuinfo: str = "/proc/cpuinfo") -> bool:
    """Whether the processor has instructions for bfloat16 that TensorFlow uses, and no GPU takes its place.

    Args:
        cpuinfo: Where Linux tells about the processor; other systems do not, and count as slow.

    Returns:
        Whether it is; False, too, where the environment turns TensorFlow's kernels of oneDNN off.
    """
    if tf.config.list_logical_devices("GPU") or os.environ.get("TF_ENABLE_ONEDNN_OPTS") == "0":
        return False
    try:
        return not _FAST.isdisjoint(pathlib.Path(cpuinfo).read_text(encoding="utf-8").split())
    except OSError:
        return False


def is_reduced(compute_dtype: str, recipe: Recipe) -> bool:
    """Whether a climb is to compute in bfloat16.

    Args:
        compute_dtype: See `PatternOptions`.
        recipe: How it climbs.

    Returns:
        True for `"bfloat16"`, and for `"auto"` where the processor is fast at it and the recipe is not exact.
    """
    return compute_dtype == "bfloat16" or (compute_dtype == "auto" and not recipe.exact and is_fast())


def allow_bfloat16(result: Any) -> None:
    """Lets a call of a function within a graph compute its convolutions and matrix products in bfloat16.

    What can do with less precision is chosen by TensorFlow, in the graph that the call runs: sums and exponentials stay
    in float32. The function must have been traced with `NOT_INLINE`, since its graph is optimised by itself.

    Args:
        result: Tensor that the call returned.
    """
    call = result.op
    config = tf.compat.v1.ConfigProto.FromString(call.get_attr("config_proto"))
    rewrite = config.graph_options.rewrite_options
    rewrite.auto_mixed_precision_onednn_bfloat16 = rewrite.ON
    call._set_attr("config_proto", tf.compat.v1.AttrValue(s=config.SerializeToString()))


NOT_INLINE = {"_noinline": True}
"""For `tf.function(experimental_attributes=...)`: within a loop oneDNN's kernels for pooling are taken only so."""
