"""What an operator of a stack does: roll back a model, run Pulumi's commands."""
