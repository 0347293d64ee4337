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

_MARGIN = 300
_WEEK = 7 * 24 * 3600


def seconds(wait_for: WaitFor, timeout: int | None, deadline: int | None) -> int | None:
    """How long to wait; None: the provider's own ten minutes, which no training keeps to."""
    if timeout is not None or wait_for != "completion":
        return timeout
    return _WEEK if deadline is None else deadline + _MARGIN


def of_job(wait_for: WaitFor, *, queued: bool, plain: bool, restartable: bool) -> dict[str, str]:
    """Annotations of a Job.

    ``plain``: it fails for no other reason than too many failed pods, or its deadline. The
    provider's own wait sees these two, and tells what is wrong with the pods meanwhile; it never
    ends for the others. ``restartable``: a run that failed starts again under the same name.
    """
    if wait_for == "completion":
        again = {REPLACE_UNREADY: "true"} if restartable else {}
        return again if plain else {WAIT: _JOB_ENDED, **again}
    # Kueue suspends a Job, and one that is suspended has no start.
    return {WAIT: _ACCEPTED if wait_for == "none" or queued else "jsonpath={.status.startTime}"}


def of_jobset(wait_for: WaitFor) -> dict[str, str]:
    """Annotations of a JobSet, a kind that the provider by itself does not wait for."""
    return {WAIT: "jsonpath={.status.terminalState}"} if wait_for == "completion" else {}


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
