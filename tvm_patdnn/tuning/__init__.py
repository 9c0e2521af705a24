"""Searches the fastest schedule of each layer by measuring, here or on a device."""
