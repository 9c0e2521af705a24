"""What a built model is worth: its accuracy, and how near it is to a reference."""
