"""What all that the API gives is made of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"}, description="RFC 3339, UTC.")]
Version = Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="The digest over a slip's resources.")]
Count = Annotated[int, Field(ge=0)]
Id = Annotated[int, Field(ge=1)]


class Thing(BaseModel):
    """Something that is given. What `answers` has and this has not is a mistake of ours, and found by the tests."""

    model_config = ConfigDict(extra="forbid")
