"""Options that every command takes, before or after its name, and the settings that come of them."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Concatenate, ParamSpec, cast

import typer
from typer.core import TyperGroup

from customerhub.settings import Settings

P = ParamSpec("P")


def help_of(setting: str) -> str:
    """The setting's own sentence."""
    return Settings.model_fields[setting].description or ""


DataDir = Annotated[Path | None, typer.Option("--data-dir", help=help_of("data_dir"))]
DatabaseUrl = Annotated[str | None, typer.Option("--database-url", help=help_of("database_url"))]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, to standard output.")]


@dataclass
class Choices:
    """What was chosen on the command line: settings by name, and whether the answer is JSON."""

    as_json: bool = False
    chosen: dict[str, object] = field(default_factory=dict)

    def to_settings(self, **others: object) -> Settings:
        """Every setting; `others` that are None were not chosen. Raises pydantic.ValidationError."""
        self.chosen |= {name: value for name, value in others.items() if value is not None}
        return Settings.model_validate(self.chosen)


def keep_choices(
    context: typer.Context, data_dir: DataDir = None, database_url: DatabaseUrl = None, *, as_json: AsJson = False
) -> Choices:
    """Remember the common options of this step of the command; a later step wins."""
    choices = context.ensure_object(Choices)
    choices.as_json = choices.as_json or as_json
    if data_dir is not None:
        choices.chosen["data_dir"] = data_dir
    if database_url is not None:
        choices.chosen["database_url"] = database_url
    return choices


def group(help_text: str, cls: type[TyperGroup] = TyperGroup) -> typer.Typer:
    """A command that has commands; it takes the common options too. `cls` is what finds the commands."""

    def keep(
        context: typer.Context, data_dir: DataDir = None, database_url: DatabaseUrl = None, *, as_json: AsJson = False
    ) -> None:
        keep_choices(context, data_dir, database_url, as_json=as_json)

    return typer.Typer(
        cls=cls,
        callback=keep,
        help=help_text,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )


def command(
    app: typer.Typer, name: str
) -> Callable[[Callable[Concatenate[Choices, P], None]], Callable[Concatenate[Choices, P], None]]:
    """Register a function as a command that takes the common options beside its own; it gets them as Choices."""

    def register(function: Callable[Concatenate[Choices, P], None]) -> Callable[Concatenate[Choices, P], None]:
        own = list(inspect.signature(function).parameters.values())[1:]
        common = list(inspect.signature(keep_choices).parameters.values())

        def run(**values: object) -> None:
            kept = {parameter.name: values.pop(parameter.name) for parameter in common}
            choices = cast("Callable[..., Choices]", keep_choices)(**kept)
            cast("Callable[..., None]", function)(choices, **values)

        parameters = [parameter.replace(kind=parameter.KEYWORD_ONLY) for parameter in (*own, *common)]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined] # what typer reads
        run.__doc__ = function.__doc__
        app.command(name)(run)
        return function

    return register
