"""The messages of a trial."""

from components.base.objects import Manifest
from review import twin_messages as messages
from review.twin.observe import Disappeared, Sample
from review.twin.owners import key
from review.twin.play import Play, Played
from review.twin.report import disruptions, faults, merged, removed, services
from review.twin.rollouts import Rollout
from review.twin.trouble import Trouble
from tests.edits import edited, put
from tests.review.twin.fake import FakeClient, pod, with_uid
from tests.review.twin.previews import preview_of
from tests.review.twin.world import deployment, namespace, service

WEB, SERVICE = with_uid(deployment("web", "web", 3)), with_uid(service("web", "web"))
REASON = messages.NO_POD_CREATED()


def trouble(code: str = "pods-missing") -> Trouble:
    return Trouble(WEB, code, REASON, 2, 3)


def test_faults() -> None:
    assert [one.code for one in faults([trouble()], Play())] == ["pods-missing"]
    (stuck,) = faults([trouble()], Play(unready={key(WEB): 600.0}))
    assert (stuck.code, stuck.values["ready"], stuck.values["timeout"]) == ("update-stuck", 1, "10 min")
    others = [trouble(code) for code in ("claim-unbound", "job-failed", "autoscaler-failed")]
    assert [one.code for one in faults(others, Play())] == ["claim-unbound-in-twin", "job-failed", "autoscaler-failed"]


def rollout(*ready: int, zero: float = 0.0) -> Rollout:
    samples = tuple(Sample(float(index), count) for index, count in enumerate(ready))
    return Rollout("Service web/web", 3, 3, min(ready), zero, zero, 10.0, samples)


def found(
    recorded: list[Rollout], after: list[Manifest], new: list[Trouble] | None = None, play: Play | None = None
) -> list[str]:
    return [one.code for one in services([WEB, SERVICE], after, recorded, new or [], play or Play())]


def test_a_service_without_endpoints_for_some_time() -> None:
    assert found([rollout(3, 0, 3, zero=5.0)], [WEB, SERVICE]) == ["service-at-zero"]
    assert found([rollout(3, 2, 3)], [WEB, SERVICE]) == []


def test_a_service_that_loses_its_endpoints() -> None:
    assert found([rollout(3, 0)], [WEB, SERVICE]) == ["service-lost-endpoints"]
    assert found([rollout(3, 0)], [WEB, SERVICE], [trouble()]) == []
    assert found([rollout(3, 0)], [WEB]) == []


def test_a_service_whose_workload_is_deleted_or_stopped() -> None:
    stopped = edited({"a": WEB}, put("a/spec/replicas", 0))["a"]
    assert found([rollout(3, 0)], [stopped, SERVICE]) == []
    assert found([rollout(3, 0)], [SERVICE]) == []


def test_a_service_for_which_the_engine_waits() -> None:
    play = Play(unready={key(SERVICE): 600.0})
    assert found([rollout(3, 0)], [WEB, SERVICE], play=play) == ["service-stuck"]
    assert found([], [WEB, SERVICE], play=play) == ["service-stuck"]
    assert found([rollout(3, 0)], [WEB, SERVICE], [trouble()], play) == []


PREEMPTED = {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}


def disrupted(one: Manifest, play: Play, *before: Manifest) -> list[tuple[str, str]]:
    gone = [Disappeared(one, 1.0), Disappeared(pod("new", owner=WEB), 2.0)]
    return [
        (str(message.values["target"]), str(message.values["disruption"]))
        for message in disruptions(gone, before, play)
    ]


def test_pods_of_others_that_disappear() -> None:
    own = pod("a", owner=WEB)
    assert disrupted(own, Play(), WEB, own) == [("Deployment web/web", "deleted")]
    own["status"]["conditions"].append(PREEMPTED)
    assert disrupted(own, Play(deleted=[WEB]), WEB, own) == [
        ("Deployment web/web", "preempted in favor of pods with a higher priority")
    ]


def test_pods_that_are_expected_to_disappear() -> None:
    own = pod("a", owner=WEB)
    assert disrupted(own, Play(deleted=[WEB]), WEB, own) == []
    assert disrupted(own, Play(deleted=[namespace("web")]), WEB, own) == []
    assert disrupted(own, Play(), own) == []  # its owner was deleted before the change
    finished = pod("a", owner=WEB, status={"phase": "Succeeded"})
    assert disrupted(finished, Play(), WEB, finished) == []


def test_merged() -> None:
    twice = [messages.NOT_PLAYED(target="Job a", reason=REASON)] * 2
    report = merged([*twice, *faults([trouble(), trouble("job-failed")], Play())], [rollout(3)], {"play": 1.0}, 2.0)
    assert [one.code for one in report.problems] == ["job-failed"]
    assert [one.code for one in report.warnings] == ["pods-missing"]
    assert [one.code for one in report.notes] == ["not-played"]
    assert (len(report.rollouts), report.scale) == (1, 2.0)


def test_objects_that_a_controller_removes() -> None:
    kept, gone, deleted = (service(name, "lab") for name in ("kept", "gone", "deleted"))
    (step, *_) = preview_of({}, {"kept": kept}).steps
    play = Play(applied=[Played(step, one, "test", False) for one in (kept, gone, deleted)], deleted=[deleted])
    assert [message.values["target"] for message in removed(FakeClient(kept), play)] == ["Service lab/gone"]
