"""What is going on? Entries become exchanges, calls, sessions, chains and tools; `fold.Traffic` is the way in."""
