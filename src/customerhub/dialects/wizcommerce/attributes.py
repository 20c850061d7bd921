"""Custom values: from name and value on the wire to a patch, checked against the team's definitions."""

from typing import cast

from msgspec import UNSET, UnsetType

from customerhub.dialects.wizcommerce.read import Body, Draft
from customerhub.model.attributes import find_misfit
from customerhub.model.catalogue import AttributeDetails, Catalogue, Entity
from customerhub.model.customer import Attribute
from customerhub.model.error import Path
from customerhub.model.patch import AttributesPatch


def to_attributes_patch(
    draft: Draft,
    body: object,
    path: Path,
    entity: Entity,
    catalogue: Catalogue,
    current: tuple[Attribute, ...] | None = None,
    *,
    is_whole: bool = False,
) -> AttributesPatch | UnsetType:
    """What the values at `path` ask for; errors go to the draft. `is_whole` takes away what is not named.

    `current` are those that the record has, None for a new one. A whole record also has the mandatory values of its
    entity, by their defaults if need be; one that came through another door without them is left as it is.
    """
    if body is None and not is_whole:
        return UNSET
    definitions = catalogue.attribute_definitions(entity)
    values = {attribute.name: attribute.value for attribute in current or ()}
    put: dict[str, str] = {}
    for position, item in enumerate(cast("list[Body | None]", body or [])):
        if item is None:
            continue
        name, value = str(item["name"]), str(item["value"])
        place = (*path, "attributes", position)
        if name in put:
            draft.refuse((*place, "name"), "repeated", "is named twice")
            continue
        put[name] = value
        if values.get(name) == value:
            continue
        definition = definitions.get(name)
        if definition is None:
            if definitions and not catalogue.settings.free_attributes:
                draft.refuse((*place, "name"), "undefined", f"no attribute of this name is defined for {entity}")
        elif isinstance(definition.details, AttributeDetails) and (reason := find_misfit(value, definition.details)):
            draft.refuse((*place, "value"), "wrong_type", reason)
    if is_whole:
        _add_mandatory(draft, put, path, catalogue, entity, None if current is None else frozenset(values))
    return AttributesPatch(put=put, keep_others=not is_whole)


def _add_mandatory(
    draft: Draft,
    put: dict[str, str],
    path: Path,
    catalogue: Catalogue,
    entity: Entity,
    current: frozenset[str] | None,
) -> None:
    missing: list[str] = []
    for name, definition in catalogue.attribute_definitions(entity).items():
        details = definition.details
        if not isinstance(details, AttributeDetails) or not details.is_mandatory or name in put:
            continue
        if current is not None and name not in current:
            continue
        if details.default_value is None:
            missing.append(name)
        else:
            put[name] = to_text(details.default_value)
    if missing:
        draft.refuse((*path, "attributes"), "missing", f"must hold what is mandatory: {', '.join(sorted(missing))}")


def to_text(value: object) -> str:
    """A default of any JSON type as the text that values always are on the wire."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(map(to_text, value))
    return str(value)
