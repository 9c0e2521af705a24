"""Devices that are reached over TVM's RPC: who is there, what they are, and their server."""
