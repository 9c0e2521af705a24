"""Network definitions in plain torch, an exporter, and small pruned networks.

Used from the source tree; not installed with the package.
"""
