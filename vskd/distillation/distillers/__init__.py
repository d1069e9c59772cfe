"""Distillers: (student outputs, teacher outputs, labels) -> named, weighted loss terms."""
