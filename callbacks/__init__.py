"""What happens on a click: guard, query or command, layout."""
