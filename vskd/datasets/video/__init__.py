"""Data sets of video clips, sorted into one folder per class."""
