"""Many agents at once: as many real calls a second as are asked for, through the same gateway as the story.

Servers and agents are lean, so that a machine of two cores has room left for the gateway and the dashboard.
"""
