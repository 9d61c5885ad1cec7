"""Write the numbers of zoo/*/results.json and of benchmarks into cards and tables."""

import functools
import pathlib
import sys

sys.path.insert(
    0, str(pathlib.Path(__file__).parents[1])
)  # benchmarks/ is not installed

from benchmarks import record, tables
from kerasseg import report

zoo = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "zoo")
changed = report.update(zoo)
for mark, table in (
    ("architectures", tables.of_architectures),
    ("short trainings", tables.of_short_trainings),
    ("nuclei", functools.partial(tables.of_nuclei, zoo=zoo)),
    ("plans", tables.of_plans),
    ("references", functools.partial(tables.of_references, zoo=zoo)),
):
    changed += report.fill(zoo / "README.md", table(record.recorded()), mark)
for path in dict.fromkeys(changed):
    print(path)
