"""The model's life on a laptop: data, training, measuring, publishing. Functions lack it."""
