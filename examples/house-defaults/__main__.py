"""A program of a team at Acme: it sets only what differs from the company's defaults."""

import pulumi
from acme import AcmeModel, AcmeTeam, AcmeTrainingJobArgs
from ml_platform import TrainingJob

team = AcmeTeam("ranking", quota={"requests.cpu": "32", "requests.memory": "128Gi", "requests.nvidia.com/gpu": "4"})
TrainingJob("ranker-training", AcmeTrainingJobArgs(team=team, command=["python", "-m", "ranker.train"]))
model = AcmeModel("ranker", team, version="v12", startup_budget_seconds=900)

pulumi.export("url", model.url)
