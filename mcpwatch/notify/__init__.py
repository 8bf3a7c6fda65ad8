"""Telling the world outside of the terminal that an alert fires: a command of the operator's, a webhook."""
