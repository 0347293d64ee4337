"""What an operator does with a stack: deploy it, preview it, roll a model back, destroy it."""
