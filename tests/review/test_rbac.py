"""The role of whoever previews: it reads all that the components make, and changes nothing."""

from pathlib import Path
from typing import Any

import yaml

from tests.stability import made

ROLE: dict[str, Any] = yaml.safe_load(
    (Path(__file__).resolve().parent.parent.parent / "review" / "rbac.yaml").read_text(encoding="utf-8")
)


def resource(kind: str) -> str:
    """What the API calls a kind: by the rule that all kinds of Kubernetes keep."""
    word = kind.lower()
    if word.endswith("y"):
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith("s") else f"{word}s"


def test_every_kind_that_the_components_make_is_read() -> None:
    """A refresh asks for each object of the stack."""
    objects = [child.inputs for child in made().resources if child.request.custom]
    wanted = {(of["apiVersion"].rpartition("/")[0], resource(of["kind"])) for of in objects}
    assert {("apps", "deployments"), ("networking.k8s.io", "ingresses")} <= wanted
    readable = {
        (group, name)
        for rule in ROLE["rules"]
        if {"get", "list", "watch"} <= set(rule["verbs"])
        for group in rule["apiGroups"]
        for name in rule["resources"]
    }
    assert wanted - readable == set()


def test_nothing_is_changed_and_no_secret_read() -> None:
    for rule in ROLE["rules"]:
        assert rule["verbs"] == ["get", "list", "watch"]
        assert not {"secrets", "*"} & set(rule["resources"])
