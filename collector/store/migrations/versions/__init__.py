"""The steps, in order; each file says what it follows."""
