"""What a client says to start a run, and what it is told about one."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.schema.graphs import Given, Inputs


class RunRequest(BaseModel):
    """Exactly one of `code` and `expression`."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"code": "import torch\nprint(torch.ones(2) + 1)"}]},
    )

    code: str | None = Field(None, description="A Python program that uses torch")
    expression: str | None = Field(None, description="A formula; it becomes a program")
    inputs: Inputs = Field(default={}, description="Values of the expression's names")
    seed: int = Field(0, ge=0, lt=2**63, description="Seed of torch, numpy and random before the program sets one")
    detail: list[Annotated[int, Field(ge=0, lt=10_000_000)]] = Field(
        default=[], max_length=16, description="Training steps wanted in full; empty: the first few"
    )

    @model_validator(mode="after")
    def one_of(self) -> RunRequest:
        if (self.code is None) == (self.expression is None):
            raise ValueError("give either `code` or `expression`")
        if self.inputs and self.expression is None:
            raise ValueError("`inputs` belong to an expression")
        return self

    def plain_inputs(self) -> dict[str, Any]:
        return {k: v.model_dump() if isinstance(v, Given) else v for k, v in self.inputs.items()}


class RunStatus(BaseModel):
    """Where a run stands."""

    id: str
    status: str = Field(description="queued, running, or how it ended: ok fail timeout limit killed forged cancelled")
    position: int = Field(description="place in the queue, 1 = next; 0 when it does not wait")
    events: int
    steps: int
    bytes: int
    seconds: float
    message: str
    events_url: str
