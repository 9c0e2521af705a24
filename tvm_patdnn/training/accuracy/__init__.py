"""What pruning costs in accuracy: groups of rows, their differences, and the pages of them."""
