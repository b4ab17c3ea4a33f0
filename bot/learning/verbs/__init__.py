"""What the verbs of the model's life take; what they need is loaded when they work."""
