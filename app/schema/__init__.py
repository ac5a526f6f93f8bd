"""Request and response bodies: pydantic models, one file per noun."""
