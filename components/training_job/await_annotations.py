"""What ``pulumi up`` waits for when it starts a run, as annotations that the provider reads."""

from typing import Any, Literal

import pulumi

from ..base.error_table import RUN_FAILED
from ..base.errors import report

WaitFor = Literal["start", "completion", "none"]

WAIT = "pulumi.com/waitFor"
REPLACE_UNREADY = "pulumi.com/replaceUnready"

# True of every object that exists. pulumi.com/skipAwait would do the same on creation, and would also
# skip the wait for deletion: a run would start before the previous one of the same name is gone.
_ACCEPTED = "jsonpath={.metadata.uid}"

# A wait ends with success or not at all, never with an error: check_succeeded() looks at the outcome afterwards.
_JOB_FINISHED = "jsonpath={.status.conditions[?@.status=='True' && (@.type=='Complete' || @.type=='Failed')]}"

# The run has pods, had some, or will have none: the wait never outlasts the run. A Job omits each of
# these counts while it is zero. The filter is on the object's own fields, since JSONPath supports "or"
# only in filters.
_JOB_HAS_PODS = "jsonpath={[?@.active || @.succeeded || @.failed || @.conditions[?@.type=='Failed']]}"
_JOBSET_HAS_PODS = (
    "jsonpath={[?@.terminalState || @.replicatedJobsStatus[?@.active > 0 || @.succeeded > 0 || @.failed > 0]]}"
)

# Time for the controllers to act on a deadline that has passed.
_MARGIN_SECONDS = 300
_WEEK_SECONDS = 7 * 24 * 3600


def wait_seconds(wait_for: WaitFor, timeout: int | None, deadline: int | None, starts: int) -> int | None:
    """Seconds to wait for a run; None for the provider's default of ten minutes, which is too short for a training.

    ``timeout`` and ``deadline`` are the arguments, in seconds. ``starts`` is how often the deadline may start again.
    """
    if timeout is not None or wait_for != "completion":
        return timeout
    return _WEEK_SECONDS if deadline is None else deadline * starts + _MARGIN_SECONDS


def job_annotations(wait_for: WaitFor, *, queued: bool, plain: bool, restartable: bool) -> dict[str, str]:
    """Annotations of a Job.

    ``plain``: it can fail only by its backoff limit or its deadline. The provider's own wait detects
    these two, and reports problems of the pods meanwhile; it does not end for any other failure.
    ``restartable``: a failed run is started again under the same name.
    """
    if wait_for == "completion":
        restart = {REPLACE_UNREADY: "true"} if restartable else {}
        return restart if plain else {WAIT: _JOB_FINISHED, **restart}
    # Kueue suspends a queued Job, and a suspended Job has no pods.
    return {WAIT: _ACCEPTED if wait_for == "none" or queued else _JOB_HAS_PODS}


def jobset_annotations(wait_for: WaitFor, *, queued: bool) -> dict[str, str]:
    """Annotations of a JobSet, a kind that the provider does not wait for without them."""
    if wait_for == "completion":
        return {WAIT: "jsonpath={.status.terminalState}"}
    return {} if wait_for == "none" or queued else {WAIT: _JOBSET_HAS_PODS}


def pod_annotations(wait_for: WaitFor) -> dict[str, str]:
    """Annotations of a Pod, which the provider waits for until it is ready."""
    if wait_for == "start":
        return {}
    return {WAIT: _ACCEPTED if wait_for == "none" else "jsonpath={.status.phase}=Succeeded"}


def check_succeeded(name: str, status: Any) -> None:
    """Raise RunError, which Pulumi prints without a traceback, if the status of a Job or JobSet is that of a failure.

    Conditions without a reason or a message are reported without them.
    """
    for condition in (status or {}).get("conditions", []):
        if condition["type"] == "Failed" and condition["status"] == "True":
            context = {key: condition.get(key, "") for key in ("reason", "message")}
            raise pulumi.RunError(report(f"TrainingJob {name}", [RUN_FAILED.problem((), **context)]))
