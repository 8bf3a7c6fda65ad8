"""The signing proxy: stands beside an agent's client and signs what it sends."""
