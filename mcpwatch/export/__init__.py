"""What a watcher saw, for other programs and for people: every format carries what it takes to trust it."""
