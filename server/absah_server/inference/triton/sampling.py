"""Make up the smallest request that a model answers, to see that it really does."""

from __future__ import annotations

import numpy as np

from absah_server.inference.portions import Tensors
from absah_server.inference.repository import StoredModel

_DYNAMIC_SIZE = 64
"""Size of a dynamic axis; a multiple of the strides that image models use."""


def sample(model: StoredModel) -> Tensors:
    """Zeros, one item of them, as small as the config's dims allow."""
    batch = (1,) if model.config.max_batch_size else ()
    tensors = {}
    for spec in model.config.inputs:
        shape = batch + tuple(_DYNAMIC_SIZE if dim == -1 else dim for dim in spec.dims)
        if spec.data_type == "STRING":
            tensors[spec.name] = np.full(shape, "", dtype=np.object_)
        else:
            tensors[spec.name] = np.zeros(shape, dtype=spec.dtype)
    return tensors
