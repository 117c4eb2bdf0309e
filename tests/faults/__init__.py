"""Proof by breaking: what the pipeline promises, under every fault that can be thought of."""
