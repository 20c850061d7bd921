"""Custom values: from name and value on the wire to a patch, checked against the team's definitions."""

import re
from collections.abc import Callable
from datetime import date
from typing import cast

from msgspec import UNSET, UnsetType

from customerhub.dialects.wizcommerce.read import Body, Draft
from customerhub.model.catalogue import AttributeDetails, Catalogue, Entity
from customerhub.model.customer import Attribute
from customerhub.model.error import Path
from customerhub.model.patch import AttributesPatch
from customerhub.model.text import is_e164, is_email

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_URL = re.compile(r"https?://[^\s/]+\S*", re.IGNORECASE)


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
        elif isinstance(definition.details, AttributeDetails) and (reason := misfit(value, definition.details)):
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


def _is_date(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


_FORMS: dict[str, tuple[Callable[[str], object], str]] = {
    "number": (_NUMBER.fullmatch, "must be a number, for example 12.5"),
    "percentage": (_NUMBER.fullmatch, "must be a number, for example 12.5"),
    "date_only": (_is_date, "must be a date, for example 2025-03-04"),
    "email": (is_email, "must be an email address"),
    "checkbox": (("true", "false").__contains__, "must be true or false"),
    "phone_e164": (is_e164, "must be E.164, for example +4722334455"),
    "url": (_URL.fullmatch, "must be an http or https address"),
}


def misfit(value: str, details: AttributeDetails) -> str | None:
    """Why a value does not fit its definition; empty text fits any, it says that there is none."""
    if not value:
        return None
    choices = [option.value for option in details.options]
    if details.data_type == "select" and value not in choices:
        return f"must be one of {', '.join(choices)}"
    if details.data_type == "multi_select" and any(part.strip() not in choices for part in value.split(",")):
        return f"must be some of {', '.join(choices)}, with commas between them"
    fits, reason = _FORMS.get(details.data_type, (None, None))
    return reason if fits is not None and not fits(value) else None
