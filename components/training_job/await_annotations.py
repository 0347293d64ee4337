"""What ``pulumi up`` waits for when it starts a run, as annotations that the provider reads."""

from typing import Any, Literal

import pulumi

WaitFor = Literal["start", "completion", "none"]

WAIT = "pulumi.com/waitFor"
REPLACE_UNREADY = "pulumi.com/replaceUnready"

# True of every object that exists. pulumi.com/skipAwait would do the same to creation, and skip the
# wait for deletion as well: a run would start before the one of the same name is gone.
_ACCEPTED = "jsonpath={.metadata.uid}"

# A wait ends well or not at all, and never in an error: what the end was like is looked at after it.
_JOB_ENDED = "jsonpath={.status.conditions[?@.status=='True' && (@.type=='Complete' || @.type=='Failed')]}"

# Pods are there, or were, or there will be none: it never waits for a run that has ended. Of a Job, each
# of these numbers is absent while it is zero. The status is sought among the object's own fields, since a
# filter is the one place where this language knows an "or".
_JOB_HAS_PODS = "jsonpath={[?@.active || @.succeeded || @.failed || @.conditions[?@.type=='Failed']]}"
_JOBSET_HAS_PODS = (
    "jsonpath={[?@.terminalState || @.replicatedJobsStatus[?@.active > 0 || @.succeeded > 0 || @.failed > 0]]}"
)

_MARGIN = 300
_WEEK = 7 * 24 * 3600


def seconds(wait_for: WaitFor, timeout: int | None, deadline: int | None, starts: int) -> int | None:
    """How long to wait; None: the provider's own ten minutes, which no training keeps to.

    ``starts``: how often the time until the deadline may begin.
    """
    if timeout is not None or wait_for != "completion":
        return timeout
    return _WEEK if deadline is None else deadline * starts + _MARGIN


def of_job(wait_for: WaitFor, *, queued: bool, plain: bool, restartable: bool) -> dict[str, str]:
    """Annotations of a Job.

    ``plain``: it fails for no other reason than too many failed pods, or its deadline. The
    provider's own wait sees these two, and tells what is wrong with the pods meanwhile; it never
    ends for the others. ``restartable``: a run that failed starts again under the same name.
    """
    if wait_for == "completion":
        again = {REPLACE_UNREADY: "true"} if restartable else {}
        return again if plain else {WAIT: _JOB_ENDED, **again}
    # Kueue suspends a Job, and one that is suspended has no pods.
    return {WAIT: _ACCEPTED if wait_for == "none" or queued else _JOB_HAS_PODS}


def of_jobset(wait_for: WaitFor, *, queued: bool) -> dict[str, str]:
    """Annotations of a JobSet, a kind that the provider by itself does not wait for."""
    if wait_for == "completion":
        return {WAIT: "jsonpath={.status.terminalState}"}
    return {} if wait_for == "none" or queued else {WAIT: _JOBSET_HAS_PODS}


def of_pod(wait_for: WaitFor) -> dict[str, str]:
    """Annotations of a Pod: by itself, the provider waits until it is ready."""
    if wait_for == "start":
        return {}
    return {WAIT: _ACCEPTED if wait_for == "none" else "jsonpath={.status.phase}=Succeeded"}


class RunFailed(pulumi.RunError):
    """A run that was waited for has ended, and not well.

    Pulumi prints a RunError without a traceback.
    """


def ended_well(name: str, status: Any) -> None:
    """Raise RunFailed where the status of a Job or JobSet says that it failed, with the reason that it gives."""
    for condition in (status or {}).get("conditions", []):
        if condition["type"] == "Failed" and condition["status"] == "True":
            reason, message = condition.get("reason", ""), condition.get("message", "")
            raise RunFailed(f"TrainingJob {name}: the run failed: {reason}: {message}")
