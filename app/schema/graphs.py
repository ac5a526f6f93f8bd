"""What a client says to get a graph."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

Name = Annotated[str, Field(max_length=40)]


class Given(BaseModel):
    """An input with its wish."""

    model_config = ConfigDict(extra="forbid")

    value: float | list[Any]
    requires_grad: bool = True


Inputs = Annotated[dict[Name, float | list[Any] | Given], Field(max_length=50)]


class GraphRequest(BaseModel):
    """Exactly one of `expression` and `code`."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"expression": "((x*w + b) - y)**2", "inputs": {"x": 2, "w": -1}}]},
    )

    expression: str | None = Field(None, description="Names, numbers, + - * / ** @ and functions; 500 characters")
    code: str | None = Field(None, description="A program; the graph is that of its last step, at its end")
    inputs: Inputs = Field(
        default={},
        description="A number, nested lists, or {value, requires_grad}; a name without a value gets one that is told",
    )
    backward: bool = Field(True, description="Also differentiate, with respect to everything that requires grad")
    seed: int = Field(0, ge=0, lt=2**63, description="Seed of a program's random numbers")

    @model_validator(mode="after")
    def one_of(self) -> GraphRequest:
        if (self.code is None) == (self.expression is None):
            raise ValueError("give either `expression` or `code`")
        if self.inputs and self.expression is None:
            raise ValueError("`inputs` belong to an expression")
        return self

    def plain_inputs(self) -> dict[str, Any]:
        return {k: v.model_dump() if isinstance(v, Given) else v for k, v in self.inputs.items()}
