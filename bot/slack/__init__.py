"""Slack: the Bolt app that verifies and queues, what is done then, the channel as an outlet."""
