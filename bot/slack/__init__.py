"""Slack: cards, the Bolt app that verifies and queues, the client, answers to commands."""
