"""The rows, as a literal table: number to what measures it. `SITE`: those that need the large site."""

from collections.abc import Callable, Mapping

from benchmarks.empty_tasks import row_8
from benchmarks.first_publish import row_1, row_2, row_3
from benchmarks.idle import row_10
from benchmarks.memory import row_9
from benchmarks.one_change import row_4, row_7
from benchmarks.place import Place
from benchmarks.results import Result

ROWS: Mapping[int, Callable[[Place], list[Result]]] = {
    1: row_1,
    2: row_2,
    3: row_3,
    4: row_4,
    7: row_7,
    8: row_8,
    9: row_9,
    10: row_10,
}
