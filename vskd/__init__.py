"""Honest cross-modal knowledge distillation for wearable activity recognition."""

__version__ = "0.1.0"
