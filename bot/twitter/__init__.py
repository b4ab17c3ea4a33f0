"""X: signatures, the webhook's and the poller's intake, reply rules and texts, the client."""
