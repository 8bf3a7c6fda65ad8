"""Real agents on the official SDK's clients: who they are, how they reach the gateway, what they do."""
