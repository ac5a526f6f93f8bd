"""Shapes to broadcast."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Shape = Annotated[list[Annotated[int, Field(ge=0, lt=2**31)]], Field(max_length=8)]


class BroadcastRequest(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"shapes": [[3], [3, 1]]}]})

    shapes: list[Shape] = Field(min_length=2, max_length=8, description="Two shapes or more; [] is a scalar")
