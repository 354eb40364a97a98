"""Rules on what an adapter says of itself. Nothing is sent."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterator, Mapping

from providers.base import Capability, LicensedProvider
from providers.errors import ProviderMisconfigured
from providers.options import ConfigField, ConfigKind
from providers.types import Delivery, MovieRef
from tests.providers.kit.case import NAME, BrokenRule, Case, insist

PURE = {
    "__future__", "abc", "base64", "collections", "contextlib", "dataclasses", "datetime", "decimal", "enum",
    "fractions", "functools", "hashlib", "hmac", "html", "itertools", "json", "logging", "math", "operator",
    "re", "string", "types", "typing", "unicodedata", "urllib.parse", "uuid",
}  # fmt: skip
"""What an adapter may import of the standard library: nothing that sends, waits, opens or remembers."""
ACTING = {"adapters", "admin", "api", "health", "http", "models", "probe", "registry", "secrets", "services",
          "sessions", "throttle", "tmdb", "transport"}  # fmt: skip
"""What of providers/ does something, or knows other adapters."""
WRONG: Mapping[ConfigKind, object] = {kind: ["hush-hush"] for kind in ConfigKind}
BY = {Capability.BY_TMDB_ID, Capability.BY_IMDB_ID, Capability.BY_TITLE}
DELIVERIES = {Capability(delivery.value) for delivery in Delivery}


def says_what_it_is(case: Case) -> None:
    adapter = case.adapter
    slug = re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", adapter.slug)
    insist(slug and len(adapter.slug) <= 40, f"slug {adapter.slug!r} is not letters, digits, hyphens")
    insist(adapter.label.strip() and len(adapter.label) <= 80, "label is empty, or longer than 80 characters")
    insist(adapter.default_priority > 0, "default_priority is not above 0")
    insist(isinstance(adapter.sample, MovieRef), "sample is no MovieRef")
    insist(isinstance(adapter.volatile_params, frozenset), "volatile_params is no frozenset")
    insist((adapter.__doc__ or "").strip(), "it has no docstring")


def declares_what_it_can(case: Case) -> None:
    declared = case.adapter.capabilities
    insist(isinstance(declared, frozenset), "capabilities is no frozenset")
    insist(declared <= set(Capability), "capabilities holds what is no Capability")
    insist(declared & BY, "capabilities does not say by what it finds a film (BY_…)")
    insist(declared & DELIVERIES, "capabilities does not say how its streams are delivered")
    insist(
        Capability.EMBED not in declared or case.adapter.needs_licence_note,
        "nothing can be measured inside an embed: needs_licence_note has to be True",
    )


def declares_its_settings(case: Case) -> None:
    fields = case.adapter.config_fields
    insist(len({field.name for field in fields}) == len(fields), "two settings share a name")
    for field in fields:
        insist(re.fullmatch(r"[a-z][a-z0-9_]*", field.name), f"setting {field.name!r} is no identifier")
        insist(field.label, f"{field.name} has no label")
        insist(field.help.endswith("."), f"{field.name} has no help that ends with a full stop")
        insist(
            not field.secret or field.kind is ConfigKind.TEXT,
            f"{field.name} is secret, and a secret is text",
        )
        insist(not field.secret or field.default is None, f"{field.name} is secret, and has a default")
        insist(
            not _reveals(field.name) or field.secret,
            f"{field.name} sounds like a secret and is not declared one",
        )


def names_a_wrong_setting(case: Case) -> None:
    given = dict(case.recorded.config)
    _refused(case.adapter, {**given, "colour": "blue"}, "colour")
    for field in case.adapter.config_fields:
        words = _refused(case.adapter, {**given, field.name: WRONG[field.kind]}, field.name)
        insist(not field.secret or "hush-hush" not in words, f"the error quotes the secret {field.name}")
        if field.required and field.default is None:
            without = {name: value for name, value in given.items() if name != field.name}
            _refused(case.adapter, without, field.name)
    _keeps_what_was_entered(case)


def imports_nothing_that_acts(case: Case) -> None:
    for module in _own_modules(case.adapter):
        for imported in _imports(module):
            top, _, rest = imported.partition(".")
            if top == "providers":
                insist(rest.split(".")[0] not in ACTING, f"{module} imports {imported}, which acts")
            elif not top.startswith("tests"):
                insist({top, imported} & PURE, f"{module} imports {imported}, which may do more than compute")


def _reveals(name: str) -> bool:
    return re.search(r"(?:^|_)(?:api_key|key|token|password|secret)(?:_|$)", name) is not None


def _refused(adapter: type[LicensedProvider], config: Mapping[str, object], name: str) -> str:
    try:
        adapter(config, name=NAME)
    except ProviderMisconfigured as error:
        insist(name in error.message, f"the error for a wrong {name} does not name it: {error.message}")
        return str(error)
    raise BrokenRule(f"{name} may be anything, or missing")


def _keeps_what_was_entered(case: Case) -> None:
    config = case.provider().config
    for field in case.adapter.config_fields:
        insist(field.name in config, f"{field.name} is declared, and config does not hold it")
        insist(_is_of(field, config[field.name]), f"{field.name} is not read as {field.kind.value}")


def _is_of(field: ConfigField, value: object) -> bool:
    kinds: Mapping[ConfigKind, type] = {ConfigKind.INTEGER: int, ConfigKind.BOOLEAN: bool}
    return isinstance(value, kinds.get(field.kind, str))


def _own_modules(adapter: type[LicensedProvider]) -> Iterator[str]:
    """The modules of the adapter and of its bases below LicensedProvider."""
    for base in adapter.__mro__:
        if base is LicensedProvider:
            return
        yield base.__module__


def _imports(module: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(inspect.getsource(sys.modules[module]))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module_name = node.module or ""
            parent = module_name in {"providers", "urllib"}
            yield from (f"{module_name}.{alias.name}" for alias in node.names) if parent else (module_name,)
