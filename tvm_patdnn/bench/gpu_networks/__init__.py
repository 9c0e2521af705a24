"""Whole networks on a GPU by CUDA, against torch, on a machine that has no TVM.

``write_network`` turns a model into a folder where TVM is: the binary of its kernels, its
weights, and the list of launches. ``network_program`` reads such a folder and runs it on a device;
``race`` compares it with torch.
"""
