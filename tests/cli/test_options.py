"""Flags of prediction: one meaning per name, whatever the task."""

import dataclasses

from kerasseg import tasks


def test_options_of_one_name_have_one_flag_and_type_in_all_tasks():
    seen = {}
    for task in tasks.TASKS.values():
        for field in dataclasses.fields(task.options):
            flag = field.metadata.get("name", field.name)
            assert seen.setdefault(field.name, (flag, field.type)) == (flag, field.type)
