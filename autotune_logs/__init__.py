"""Tuning records that ship with the package, one folder per target; data only."""
