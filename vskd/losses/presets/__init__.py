"""Published systems as lists of loss terms."""
