"""Labelled posts in, one artifact out: with its calibration, its threshold and its card."""
