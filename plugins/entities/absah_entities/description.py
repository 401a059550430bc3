"""What a token classifier says of itself in the `parameters` of its config.pbtxt.

An operator brings another model as a folder of the repository: `tokenizer.json`, `decoder.json`,
and these parameters, all optional; the defaults are those of XLM-R's family.
"""

from __future__ import annotations

import pydantic

from absah_sdk import Model

PREFIX = "absah."


class Description(pydantic.BaseModel):
    """One token classifier; ids are those of its vocabulary."""

    model_config = pydantic.ConfigDict(extra="ignore", frozen=True)

    bos: pydantic.NonNegativeInt = 0
    """Before the first piece of a window: "<s>" or "[CLS]"."""
    eos: pydantic.NonNegativeInt = 2
    """After the last: "</s>" or "[SEP]"."""
    pad: pydantic.NonNegativeInt = 1
    unknown: pydantic.NonNegativeInt = 3
    token_types: bool = False
    """Whether the model takes "token_type_ids" too, as BERT's family does."""
    output: str = "logits"
    """Name of its output: float32, (batch, pieces, labels)."""


def describe(model: Model) -> Description:
    """Read a model's description; raises ValueError naming the model and the parameter."""
    known = {
        key.removeprefix(PREFIX): value
        for key, value in model.parameters.items()
        if key.startswith(PREFIX)
    }
    try:
        return Description.model_validate(known)
    except pydantic.ValidationError as exc:
        problems = "; ".join(
            f"parameter {PREFIX}{error['loc'][0]}: {error['msg']}" for error in exc.errors()
        )
        raise ValueError(f"the model {model.name}: {problems}") from exc
