"""A small AIP registry of the demo's own. It answers in the shapes of the real one and never passes for it."""

OUTAGE = "/demo/outage"
"""Where an agent arranges for it to be down."""
