"""Searches TVM's own schedules for dense convolutions, so that the baseline is a fair one."""
