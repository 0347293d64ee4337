"""Runs the trial of a change on a twin of the cluster, for the command."""

import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

from urllib3.exceptions import HTTPError

from review import messages, twin_messages
from review.preview import Preview
from review.twin.client import ApiError
from review.twin.cluster import twin
from review.twin.report import TwinReport
from review.twin.snapshot import Snapshot, without_garbage_collection
from review.twin.timing import timing
from review.twin.trial import try_change
from sandbox.layout import Layout, SandboxError


def run(preview: Preview, snapshot: Snapshot, pools: Mapping[str, Mapping[str, Any]], project: Path) -> TwinReport:
    """Try a change on a twin in the sandbox folder of a project. If that is not possible, the report has the reason."""
    try:
        # The progress of the sandbox goes to stderr: stdout is for the review.
        with without_garbage_collection(), redirect_stdout(sys.stderr):
            return _run(preview, snapshot, pools, project)
    except (SandboxError, ApiError, HTTPError) as error:
        reason = messages.UNREACHABLE(error=error)
        return TwinReport(notes=(twin_messages.TWIN_NOT_STARTED(reason=reason),))


def _run(preview: Preview, snapshot: Snapshot, pools: Mapping[str, Mapping[str, Any]], project: Path) -> TwinReport:
    changed = [step.after for step in preview.steps if step.is_change and step.after is not None]
    times = timing(snapshot.objects, changed)
    with twin(snapshot, Layout(project), pools=pools, objects=times.objects(), prepare=times.scaled) as running:
        report = try_change(running.client, preview, times, running.add_nodes, running.slowness)
        return replace(report, notes=(*running.notes, *report.notes))
