"""What was measured, told: sentences, plots, a page, and JSON beside it."""
