"""Templates: HTML with everything escaped and every sentence in the reader's language."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from appliance import __version__, language
from webui.files import FILES
from webui.navigation import entries
from webui.reader import Reader
from webui.words import words

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

FOLDER = Path(__file__).parent / "templates"
# The script of every page.
_OF_ALL = "app.js"


@functools.cache
def _environment(code: str) -> Environment:
    """The templates for readers of one language."""
    # Loaded with the first page, not by a box whose pages are not used.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415

    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    catalogue = language.catalogue(code)
    made.install_gettext_callables(catalogue.gettext, catalogue.ngettext, newstyle=True)  # type: ignore[attr-defined]
    made.globals.update(
        static=FILES.prefix,
        scripts=_scripts,
        preload=_preload,
        languages=language.languages(),
        version=__version__,
    )
    return made


@functools.cache
def _scripts(name: str) -> Markup:
    """Tags for a script and everything that it imports, so that browsers load all of it at once."""
    from markupsafe import Markup  # noqa: PLC0415 (as above)

    there = FILES.imports(_OF_ALL) if name != _OF_ALL else frozenset()
    run = Markup('<script type="module" src="{}/{}"></script>').format(FILES.prefix, name)
    return _links(FILES.imports(name) - there) + run


@functools.cache
def _preload(name: str) -> Markup:
    """Tags that fetch the scripts of the next page while the user types."""
    return _links({name, *FILES.imports(name)} - {_OF_ALL, *FILES.imports(_OF_ALL)})


def _links(modules: Iterable[str]) -> Markup:
    from markupsafe import Markup  # noqa: PLC0415 (as above)

    link = Markup('<link rel="modulepreload" href="{}/{}">')
    return Markup("").join(link.format(FILES.prefix, module) for module in sorted(modules))


def draw(template: str, reader: Reader, values: dict[str, Any]) -> str:
    """``template`` with ``values`` and what every page has, as HTML."""
    there = {"ways": entries(reader), "write": reader.writer(), "now": reader.context.now()}
    return _fill(template, reader, {**there, **values})


@dataclass(frozen=True, slots=True)
class _Nobody:
    """Stands in for a visit before there is a box."""

    caller: None = None
    page_token: str = ""


def draw_without_box(template: str, values: dict[str, Any]) -> str:
    """``template`` with ``values``, for a page that is shown before the box has started, as HTML."""
    write = language.Formatter(language.locale_of(language.spoken()), None)
    return _fill(template, _Nobody(), {"ways": (), "write": write, **values})


def _fill(template: str, reader: Reader | _Nobody, values: dict[str, Any]) -> str:
    code = language.spoken()
    page = _environment(code).get_template(template)
    return page.render(visit=reader, language=code, said=language.said, words=words(), **values)
