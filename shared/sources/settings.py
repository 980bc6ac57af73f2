"""A source's settings as its family's type."""

import json
from functools import lru_cache
from typing import Any, TypeVar, cast

from pydantic import BaseModel

from shared.registry.model import Source

M = TypeVar("M", bound=BaseModel)


def typed_settings(model: type[M], source: Source) -> M:
    """The source's settings; parsed once. The registry has validated them."""
    return cast("M", _parsed(model, json.dumps(source.settings)))


@lru_cache(maxsize=256)
def _parsed(model: type[BaseModel], text: str) -> Any:
    return model.model_validate(json.loads(text))
