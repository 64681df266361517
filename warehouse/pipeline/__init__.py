"""Data moving forward, one step a file: sources, stage, promote, publish, derive."""
