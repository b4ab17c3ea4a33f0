"""Tweet Escalator: tweets that need a human go to Slack, the rest get a kind answer."""
