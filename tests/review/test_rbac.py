"""The role for previews: it may read every kind that the components create, and change none."""

from pathlib import Path
from typing import Any

import yaml

from tests.stability import made

ROLE: dict[str, Any] = yaml.safe_load(
    (Path(__file__).resolve().parent.parent.parent / "review" / "rbac.yaml").read_text(encoding="utf-8")
)


def resource(kind: str) -> str:
    """The resource name of a kind, by the rule that all kinds of Kubernetes follow."""
    word = kind.lower()
    if word.endswith("y"):
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith("s") else f"{word}s"


def test_every_kind_of_the_components_is_readable() -> None:
    """A refresh reads each object of the stack."""
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


def test_it_permits_neither_changes_nor_reading_secrets() -> None:
    for rule in ROLE["rules"]:
        assert rule["verbs"] == ["get", "list", "watch"]
        assert not {"secrets", "*"} & set(rule["resources"])
