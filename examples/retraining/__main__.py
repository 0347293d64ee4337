"""One run per month; earlier runs are kept.

pulumi config set month 2026-12      start the next run

Any other change of an existing run is rejected, already in `pulumi preview`.
"""

import pulumi
from ml_platform import TeamNamespace, TrainingJob

month = pulumi.Config().require("month")

team = TeamNamespace("forecasting", {"team": "forecasting", "quota": {"pods": "20", "count/jobs.batch": "12"}})

job = TrainingJob(
    "demand",
    {
        "team": team,
        "image": "ghcr.io/acme/demand:v4",
        "command": ["python", "-m", "demand.train"],
        "args": [f"--until={month}"],
        "experiment": "demand-forecast",
        "run_id": month,
        "previous_runs": "keep",
        "resources": {"requests": {"cpu": "2", "memory": "4Gi"}, "limits": {"memory": "8Gi"}},
    },
)

pulumi.export("job", job.job_name)
