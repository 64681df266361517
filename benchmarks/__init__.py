"""`make bench`: the product at scale, as ratios to a floor that is measured in the same run."""
