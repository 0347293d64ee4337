"""Reduces the output of ``pulumi preview --json --show-sames`` to what a review reads.

pulumi preview --stack prod --json --show-sames | python -m tests.review.trim > tests/review/prod-change.json
"""

import json
import sys
from typing import Any

from tests.review.golden import as_text


def trimmed(preview: dict[str, Any]) -> dict[str, Any]:
    """The configuration and the steps of Kubernetes objects, with inputs and status."""
    steps = [
        {
            **{key: step[key] for key in ("op", "urn", "replaceReasons") if key in step},
            **{side: _state(step[side]) for side in ("oldState", "newState") if side in step},
        }
        for step in preview["steps"]
    ]
    kept = [step for step in steps if _type(step).startswith("kubernetes:")]
    return {"config": preview["config"], "steps": kept}


def _type(step: dict[str, Any]) -> str:
    return str((step.get("newState") or step.get("oldState") or {}).get("type", ""))


def _state(state: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {key: state[key] for key in ("type", "inputs", "parent") if key in state}
    status = (state.get("outputs") or {}).get("status")
    return {**kept, **({"outputs": {"status": status}} if status else {})}


if __name__ == "__main__":
    sys.stdout.write(as_text(trimmed(json.load(sys.stdin))))
