"""The names of a course site: departments and courses, real ones where a folder with them is given, made up otherwise."""

import json
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

COURSES, DEPARTMENTS = 3180, 37
"""What the real site has."""


@dataclass(frozen=True, slots=True)
class Course:
    """One module of the site."""

    short_id: str
    department: str

    @property
    def url(self) -> str:
        return f"/courses/{self.department}/{self.short_id}"


def courses(count: int) -> list[Course]:
    """So many courses, spread over the departments, the same ones in every run; all of them are 3,180."""
    folder = os.environ.get("SLIPWAY_REAL_DATA")
    known = _real(Path(folder)) if folder else _made_up()
    assert count <= len(known), f"there are {len(known)} courses, and {count} are wanted"
    return sorted(random.Random(1).sample(known, count), key=lambda course: course.url)


def _real(folder: Path) -> list[Course]:
    ids: Sequence[str] = json.loads((folder / "ocw-course-ids.json").read_text())["courses"]
    departments = {each["depNo"].casefold(): each["id"] for each in json.loads((folder / "ocw-departments.json").read_text())}
    return [Course(short_id, departments.get(short_id.partition("-")[0].casefold(), "other")) for short_id in ids]


def _made_up() -> list[Course]:
    terms = ("fall", "spring", "january-iap", "summer")
    return [
        Course(
            f"{number % DEPARTMENTS}-{number // DEPARTMENTS:03d}-a-name-of-usual-length-{terms[number % 4]}-{2000 + number % 20}",
            f"department-{number % DEPARTMENTS:02d}",
        )
        for number in range(COURSES)
    ]
