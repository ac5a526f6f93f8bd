"""Running programs: what a run is, where it runs, who reads it."""
