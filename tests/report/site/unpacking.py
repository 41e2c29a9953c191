"""What the script of a page makes of its data, in Python."""

from __future__ import annotations

import json
import re
from typing import Any

DATA = re.compile(r'<script type="application/json" id="details">(.*?)</script>', re.DOTALL)


def unpacked(data: Any) -> dict[str, str]:
    """The markup of all details, by the ids of their lines."""

    def markup(part: Any) -> str:
        if isinstance(part, int):
            return markup(data["shared"][part])
        return part if isinstance(part, str) else "".join(map(markup, part))

    return {name: markup(part) for name, part in data["details"].items()}


def details_of(page: str) -> dict[str, str]:
    (data,) = DATA.findall(page)
    return unpacked(json.loads(data))


def with_details(page: str) -> str:
    """A page with its details written out, each in a template of its own."""
    templates = "".join(f'<template id="detail-{name}">{text}</template>' for name, text in details_of(page).items())
    return DATA.sub(lambda _: templates, page)
