"""The words every room shares: msgspec structs without behaviour.

`entries` is what travels in the feed, `feed` how the log stands, `identity` who signed,
`traffic` what is going on, `alerts` what is wrong.
"""
