"""The operations: one block each, gathered in `engine.ops.op.REGISTRY`."""
