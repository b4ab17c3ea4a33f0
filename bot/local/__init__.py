"""The laptop's share: the host of the handlers, its console, files of tweets."""
