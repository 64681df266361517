"""Who you are and what you may do: session, passwords, tokens, guards, the login page."""
