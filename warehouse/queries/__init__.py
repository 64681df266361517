"""Read models: the only SELECTs that screens and the API use."""
