"""Whether a custom value fits what the team has defined for its name."""

import re
from collections.abc import Callable
from datetime import date

from customerhub.model.catalogue import AttributeDetails, Catalogue, Entity
from customerhub.model.text import is_e164, is_email

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)
_URL = re.compile(r"https?://[^\s/]+\S*", re.IGNORECASE)


def find_fault(name: str, value: str, entity: Entity, catalogue: Catalogue) -> tuple[str, str] | None:
    """Code and reason of what is wrong with a value for an entity; None where it may stand.

    A team that has defined values of an entity takes no others, unless it says so; one that has none takes any.
    """
    definitions = catalogue.attribute_definitions(entity)
    definition = definitions.get(name)
    if definition is None:
        if definitions and not catalogue.settings.free_attributes:
            return "undefined", f"is not among the custom values that are defined for {entity}"
        return None
    details = definition.details
    reason = find_misfit(value, details) if isinstance(details, AttributeDetails) else None
    return ("wrong_type", reason) if reason is not None else None


def find_misfit(value: str, details: AttributeDetails) -> str | None:
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
