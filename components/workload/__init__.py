"""What training jobs and model services share: arguments and the pod template."""
