"""A group of settings."""

from pydantic import BaseModel, ConfigDict


class SettingsSection(BaseModel):
    """A frozen group of settings that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
