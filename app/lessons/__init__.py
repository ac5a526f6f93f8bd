"""Programs and lessons that come with Backstep."""
