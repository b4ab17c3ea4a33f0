"""How well a model judges labelled posts, and whether another one is better."""
