"""Where cases and messages live: one SQLite file, or DynamoDB and SQS."""
