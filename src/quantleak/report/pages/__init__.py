"""What a reader opens: the page, the privacy card, the text in the terminal, the page of user-supplied scores."""
