"""What a change of each argument does to the objects, compared with what its docstring states.

Every argument of the options (tests/trainings.py, tests/model_services.py) is changed, one at a time. The
manifests before and after show the effect: an update in place, a rollout of the pods, a new run, or the
replacement of an object.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Literal, get_args, get_origin

from components import ArgumentError
from components.base.arguments import MUTABILITY, Arguments
from components.training_job.immutability import check_immutable, immutable_part
from components.workload.args import WorkloadArgs
from tests.argument_models import Model, models

IN_PLACE, ROLLS, NEW_RUN, REPLACES = MUTABILITY[:4]

_WORDS = {IN_PLACE: "updatable in place", ROLLS: "rolls", NEW_RUN: "new run", REPLACES: "replace"}
"""How a docstring states an effect before its last sentence."""

_RUNS = {"Job", "JobSet", "Pod"}

# Besides name and namespace, the fields whose change makes the provider replace an object, as far as the
# components set them.
_REPLACING = {"Deployment": ("selector",), "Service": ("clusterIP",)}

Given = Mapping[str, Any]
Objects = Mapping[str, Mapping[str, Any]]
Argument = tuple[Model, str]
"""An argument: its model, and its name."""

Effects = dict[Argument, set[str]]
"""The effects of the changes of each argument that was changed; none if no object differed."""


def effects(
    model: type[WorkloadArgs], base: Given, options: Mapping[str, Given], manifests: Callable[[Any], Objects]
) -> Effects:
    """The effects of changes of all arguments of a model, on top of each option."""

    def objects(given: Given) -> Objects | None:
        try:
            return manifests(model(**given))
        except ArgumentError:
            return None

    changes = _Changes()
    givens = [
        {key: value for key, value in {**base, **option}.items() if value is not None} for option in options.values()
    ]
    for given in givens:
        changes.collect(model, given)
    for given in sorted(givens, key=lambda given: not model(**given).has_pods()):
        before = objects(given)
        assert before is not None, given
        for argument, changed in changes.of(model, given):
            after = objects(changed)
            # Without pods, every change is in place: it counts for arguments that others do not show.
            if after is not None and (model(**given).has_pods() or not changes.observed.get(argument)):
                changes.observed.setdefault(argument, set()).update(effect(before, after))
    return changes.with_inferred()


def mismatches(observed: Effects, package: str, *, job: bool) -> list[str]:
    """Arguments of a package's models whose docstrings do not state the effects of a change."""
    found = []
    for (model, name), shown in observed.items():
        if next(base for base in model.__mro__ if name in base.__annotations__).__module__.startswith(package):
            sentence, text = documented(model, name)
            stated = _stated(sentence, job=job)
            expected = shown or {IN_PLACE}
            if stated not in expected:
                found.append(f"{model.__name__}.{name} states {stated!r}, but a change shows {sorted(expected)}")
            # Those that are updatable in place among nested arguments state that themselves.
            nested = {IN_PLACE} if any(models(model.model_fields[name].annotation)) else set()
            unstated = [each for each in sorted(expected - {stated} - nested) if _WORDS[each] not in text.lower()]
            found += [f"{model.__name__}.{name} does not state {effect!r}" for effect in unstated]
    return found


def documented(model: Model, name: str) -> tuple[str, str]:
    """The sentence on mutability at the end of an argument's docstring, or else of its model's, and the docstring."""
    for docstring in (model.model_fields[name].description, model.__doc__):
        text = " ".join((docstring or "").split())
        for sentence in MUTABILITY:
            if text.endswith(sentence):
                return sentence, text
    raise AssertionError(f"neither {model.__name__}.{name} nor {model.__name__} ends with one of {MUTABILITY}")


def _stated(sentence: str, *, job: bool) -> str:
    """The effect that a sentence states for a job, or for a service."""
    if not sentence.endswith("; a job needs a new run."):
        return sentence
    service = ROLLS if _WORDS[ROLLS] in sentence else REPLACES
    return NEW_RUN if job else service


def effect(before: Objects, after: Objects) -> set[str]:
    """The effects of a change of the objects; IN_PLACE only if there are no others."""
    found = set()
    for role in {*before, *after}:
        old, new = before.get(role), after.get(role)
        if old != new:
            found.add(IN_PLACE)
            if old is not None and new is not None:
                found.update(_effect(old, new))
    runs = [[dict(each) for each in objects.values() if each["kind"] in _RUNS] for objects in (before, after)]
    for old_run, new_run in zip(*runs, strict=True):
        found.update(_effect_on_run(old_run, new_run))
    return found - {IN_PLACE} or found


def _effect(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    kind = old["kind"]
    if kind in _RUNS:
        return
    names = ({key: each["metadata"][key] for key in ("name", "namespace")} for each in (old, new))
    fields = ({key: each["spec"].get(key) for key in _REPLACING.get(kind, ())} for each in (old, new))
    if next(names) != next(names) or next(fields) != next(fields):
        yield REPLACES
    elif kind == "Deployment" and old["spec"]["template"] != new["spec"]["template"]:
        yield ROLLS


def _effect_on_run(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    try:
        check_immutable("bert", *({"previousRuns": "keep", "run": immutable_part(run)} for run in (old, new)))
    except ArgumentError:
        yield NEW_RUN
    if old["metadata"]["name"] != new["metadata"]["name"]:
        yield REPLACES


class _Changes:
    """Changes of single arguments, and the effects that were observed of them."""

    def __init__(self) -> None:
        self.observed: Effects = {}
        self._values: dict[Argument, list[Any]] = {}
        """All values that options give for an argument."""

    def collect(self, model: Model, given: Given) -> None:
        """Collect the values of an option."""
        for argument, value in _arguments(model, given):
            self._values.setdefault(argument, []).append(value)

    def of(self, model: Model, given: Given) -> Iterator[tuple[Argument, Given]]:
        """Each argument of a model, and of those nested in it, with changes of it: one that is given without it, too."""
        for name, field in model.model_fields.items():
            argument = (model, name)
            nested = list(models(field.annotation))
            candidates: list[Any] = []
            if name in given:
                yield argument, {key: value for key, value in given.items() if key != name}
                if nested:
                    for inner, value in self._nested(nested[0], given[name]):
                        yield inner, {**given, name: value}
                else:
                    candidates += _variants(field.annotation, given[name])
            elif not self.observed.get(argument):
                candidates += [*(field.examples or []), *_CANDIDATES, *_variants(field.annotation, field.get_default())]
            for value in [*candidates, *self._values.get(argument, [])]:
                if value != given.get(name, field.get_default()):
                    yield argument, {**given, name: value}

    def _nested(self, model: Model, value: Any) -> Iterator[tuple[Argument, Any]]:
        """Changes of a nested model: of one, of each of a list, or of each of a mapping."""
        for put, item in _items(model, value):
            for argument, changed in self.of(model, item):
                yield argument, put(changed)

    def with_inferred(self) -> Effects:
        """The observed effects. A change of an argument that cannot be left out is one of its nested arguments."""
        for argument in self._values.keys() - self.observed.keys():
            model, name = argument
            inner = set(models(model.model_fields[name].annotation))
            found = [shown for (owner, _), shown in self.observed.items() if owner in inner]
            if found:
                self.observed[argument] = set().union(*found)
        return self.observed


# Values of most types: those that are not valid for an argument are skipped.
_CANDIDATES: list[Any] = [2, True, "other", "/other", "1Gi", ["other"], {"other": "other"}]


def _arguments(model: Model, given: Given) -> Iterator[tuple[Argument, Any]]:
    """All arguments that are given, with those of nested models."""
    for name, value in given.items():
        yield (model, name), value
        for nested in models(model.model_fields[name].annotation):
            for _, item in _items(nested, value):
                yield from _arguments(nested, item)


def _items(model: Model, value: Any) -> Iterator[tuple[Callable[[Any], Any], Given]]:
    """The arguments of each model in a value, and what makes the value with others in their place."""
    if isinstance(value, Arguments):
        yield (lambda changed: changed), value.model_dump(exclude_unset=True)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            for put, given in _items(model, item):
                yield partial(_put_item, value, index, put), given
    elif value.keys() <= model.model_fields.keys():
        yield (lambda changed: changed), value
    else:
        for key, item in value.items():
            for put, given in _items(model, item):
                yield partial(_put_value, value, key, put), given


def _put_item(items: list[Any], index: int, put: Callable[[Any], Any], changed: Any) -> list[Any]:
    return [*items[:index], put(changed), *items[index + 1 :]]


def _put_value(values: Given, key: str, put: Callable[[Any], Any], changed: Any) -> Given:
    return {**values, key: put(changed)}


def _variants(annotation: Any, value: Any) -> Iterator[Any]:
    """Other values of the same type."""
    yield from _literals(annotation)
    match value:
        case bool():
            yield not value
        case int():
            yield from (value + 1, value * 2)
        case str():
            yield from (f"{value}1", f"1{value}")
        case list() if value:
            yield value[:-1]
            yield from ([*value[:-1], item] for item in _variants(None, value[-1]))
        case dict():
            for key in value:
                yield {other: value[other] for other in value if other != key}
                yield from ({**value, key: item} for item in _variants(None, value[key]))


def _literals(annotation: Any) -> Iterator[Any]:
    if get_origin(annotation) is Literal:
        yield from get_args(annotation)
    else:
        for part in get_args(annotation):
            yield from _literals(part)
