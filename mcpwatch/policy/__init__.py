"""What the operator allows and expects: read from `policy.toml`, held against traffic, without I/O of its own."""
