"""Where and how tensors are computed: devices, CUDA graphs, batches side by side, locks."""
