"""A deployed stage, from this machine: made, looked at, given its keys, rolled back, removed."""
