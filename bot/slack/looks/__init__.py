"""What people see in Slack: pure functions of cases and verdicts to Slack's blocks."""
