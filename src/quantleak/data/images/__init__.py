"""Images as they come in files: where they are, which class each is of, and their bytes turned into pixels."""
