"""What the web address speaks: requests, answers, who gets in, the page."""
