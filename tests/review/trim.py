"""Keeps of ``pulumi preview --json --show-sames`` what a review reads: ``python -m tests.review.trim < preview.json``."""

import json
import sys
from typing import Any


def trimmed(preview: dict[str, Any]) -> dict[str, Any]:
    """The same preview without stack traces, times, dependencies and what the provider notes for itself."""
    steps = [
        {
            **{key: step[key] for key in ("op", "urn", "replaceReasons") if key in step},
            **{side: _state(step[side]) for side in ("oldState", "newState") if side in step},
        }
        for step in preview["steps"]
    ]
    kept: dict[str, Any] = {key: preview[key] for key in ("config", "diagnostics", "changeSummary") if key in preview}
    return {
        **kept,
        "steps": [step for step in steps if "inputs" in (step.get("newState") or step.get("oldState") or {})],
    }


def _state(state: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {key: state[key] for key in ("type", "inputs", "parent") if key in state}
    status = (state.get("outputs") or {}).get("status")
    return {**kept, **({"outputs": {"status": status}} if status else {})}


if __name__ == "__main__":
    json.dump(trimmed(json.load(sys.stdin)), sys.stdout, separators=(",", ":"))
    print()
