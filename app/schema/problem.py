"""The shape of every answer that is not a success, for the API's description. Made by app/errors.py."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class ProblemAnswer(BaseModel):
    """RFC 9457, `application/problem+json`."""

    model_config = ConfigDict(extra="allow", title="Problem")

    type: str = Field(description="`/api/v1/problems#` and the kind's name")
    title: str = Field(description="The kind, in words")
    status: int
    detail: str = Field(default="", description="What was wrong, with the actual values")
    hint: str = Field(default="", description="What to try")
