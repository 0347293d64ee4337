"""Labels of workloads."""

from components.base.labels import selector, workload_labels


def test_labels_of_a_workload() -> None:
    labels = workload_labels("bert", "training", {"tier": "gold"}, {"team": "nlp", "framework": None})
    assert labels == {
        "app": "bert",
        "app.kubernetes.io/name": "bert",
        "app.kubernetes.io/managed-by": "pulumi",
        "workload-type": "training",
        "team": "nlp",
        "tier": "gold",
    }


def test_the_users_app_label_is_the_selector() -> None:
    labels = workload_labels("bert", "training", {"app": "ml-training", "tier": "gold"}, {})
    assert selector(labels) == {"app": "ml-training"}
    assert labels["app.kubernetes.io/name"] == "bert"
