"""What a page looks like: pure functions, data in, components out."""
