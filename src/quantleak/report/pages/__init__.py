"""What a reader opens: the page of an audit, its privacy card, and the page of user-supplied scores."""
